"""Django's PostgreSQL backend, with three changes.

A transaction begins and takes its tenancy settings in one message (`BEGIN; SET LOCAL ...`), which saves a round
trip on every request; a connection that died while idle is replaced when the next transaction begins, which
saves the health check's round trip; and `prepared_cursor` asks by statements that the session has planned already.
What returns no rows (the begin and end of transactions, savepoints, settings) is sent without a cursor.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.postgresql import base, operations
from django.db.backends.utils import debug_transaction
from psycopg.pq import ConnStatus, ExecStatus

from crm.tenancy import context

PREPARED_MOST = 200  # statements that a session keeps; the one not used for longest makes room


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, which also knows what a prepared cursor has run, for its log of queries."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        if isinstance(cursor, psycopg.ClientCursor):
            return super().last_executed_query(cursor, sql, params)
        return sql if isinstance(cursor, psycopg.RawCursor) else self.compose_sql(sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """psycopg stays in autocommit mode; transactions are begun by hand."""

    ops_class = DatabaseOperations

    def _start_transaction_under_autocommit(self) -> None:
        message = b"BEGIN;" + context.begin_settings().encode()
        try:
            self._send(message)
        except (OperationalError, InterfaceError):
            # Nothing of this transaction has run yet, so trying once on a fresh connection loses nothing.
            self.close()
            self.connect()
            self._send(message)

    def _send(self, message: bytes) -> None:
        with self.wrap_database_errors:
            raw = self.connection.pgconn
            result = raw.exec_(message)
            if raw.status == ConnStatus.BAD:
                raise psycopg.OperationalError(result.get_error_message())
            if result.status == ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(result)

    def _noted(self, message: str) -> None:
        """Sends, and puts it into the log of queries where one is kept."""
        with debug_transaction(self, message):
            self._send(message.encode())

    def _commit(self) -> None:
        if self.connection is not None:
            self._noted("COMMIT")

    def _savepoint(self, sid: str) -> None:
        self._noted(self.ops.savepoint_create_sql(sid))

    def _savepoint_commit(self, sid: str) -> None:
        self._noted(self.ops.savepoint_commit_sql(sid))

    def send_settings(self, statements: str) -> None:
        """Runs `SET LOCAL` statements in the open transaction, in one message.

        `statements` holds server-made values only (crm.tenancy.context quotes them).
        """
        self.ensure_connection()
        self._send(statements.encode())

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Django's cursors bind values on the client and never prepare; only those of `prepared_cursor` do."""
        made: Any = super().get_new_connection(conn_params)
        made.prepare_threshold = 0 if settings.DATABASE_PREPARE else None
        made.prepared_max = PREPARED_MOST
        if settings.DATABASE_PREPARE:
            # Otherwise PostgreSQL would go on planning those whose values, such as an array of one, look cheaper.
            made.pgconn.exec_(b"SET plan_cache_mode = force_generic_plan")
        return made

    def prepared_cursor(self, *, raw: bool = False) -> Any:
        """A cursor for fixed statements that look rows up by their keys: planned once, with row-level security, where
        planning would cost several times what running them does.

        Not for statements whose plan depends on the values, such as lists and sums: the kept plan is the same for an
        organisation of ten rows and one of a million. A `raw` one takes PostgreSQL's own placeholders ($1): psycopg
        reads a statement of more than 50 values anew each time to find its %s.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = (psycopg.RawCursor if raw else psycopg.Cursor)(self.connection)
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]


def prepared_cursor(*, raw: bool = False) -> Any:
    """The default connection's `prepared_cursor`."""
    wrapper: Any = connection
    return wrapper.prepared_cursor(raw=raw)
