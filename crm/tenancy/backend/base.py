"""Django's PostgreSQL backend, with four changes.

A transaction begins and takes its tenancy settings in one message (`BEGIN; SET LOCAL ...`), which saves a round
trip on every request; a connection that died while idle is replaced when the next transaction begins, which
saves the health check's round trip; `prepared_cursor` asks by statements that the session has planned already; and
moments are read by psycopg's own loader, in C, where Django's took a tenth of a list's time.
What returns no rows (the begin and end of transactions, savepoints, settings) is sent without a cursor.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.postgresql import base, operations
from django.db.backends.utils import debug_transaction
from psycopg.types.datetime import TimestamptzLoader

from crm.tenancy import context
from crm.tenancy.backend.direct import DirectCursor, Prepared, checked


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, which also knows what a prepared cursor has run, for its log of queries."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        if isinstance(cursor, psycopg.ClientCursor):
            return super().last_executed_query(cursor, sql, params)
        raw = isinstance(cursor, psycopg.RawCursor) or getattr(cursor, "raw", False)
        return sql if raw else self.compose_sql(sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """psycopg stays in autocommit mode; transactions are begun by hand."""

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._statements = Prepared()
        self._releases: list[str] = []  # savepoints that are done with, and not released yet

    def _start_transaction_under_autocommit(self) -> None:
        self._releases.clear()
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
            checked(raw, raw.exec_(message))

    def _noted(self, message: str) -> None:
        """Sends, and puts it into the log of queries where one is kept."""
        with debug_transaction(self, message):
            self._send(message.encode())

    def _commit(self) -> None:
        if self.connection is not None:
            self._noted("COMMIT")

    def _savepoint(self, sid: str) -> None:
        self._noted(";".join([*self._releases, self.ops.savepoint_create_sql(sid)]))
        self._releases.clear()

    def _savepoint_commit(self, sid: str) -> None:
        """Released with the next message of this kind: the end of the transaction needs none, and most have one."""
        self._releases.append(self.ops.savepoint_commit_sql(sid))

    def _savepoint_rollback(self, sid: str) -> None:
        self._releases.clear()  # they were made after this one, and go with it
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def send_settings(self, statements: str) -> None:
        """Runs `SET LOCAL` statements in the open transaction, in one message.

        `statements` holds server-made values only (crm.tenancy.context quotes them).
        """
        self.ensure_connection()
        self._send(statements.encode())

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Django's cursors bind values on the client and never prepare; only those of `prepared_cursor` do."""
        made: Any = super().get_new_connection(conn_params)
        made.prepare_threshold = None
        made.adapters.register_loader("timestamptz", TimestamptzLoader)
        self._statements = Prepared()
        if settings.DATABASE_PREPARE:
            # Otherwise PostgreSQL would go on planning those whose values, such as an array of one, look cheaper.
            made.pgconn.exec_(b"SET plan_cache_mode = force_generic_plan")
        return made

    def create_cursor(self, name: str | None = None) -> Any:
        """Django's, whose loader of moments is left out: sessions are in UTC, as psycopg reads them."""
        if name is None:
            return self.connection.cursor()
        kind: Any = base.ServerSideCursor
        return kind(self.connection, name=name, scrollable=False, withhold=self.connection.autocommit)

    def prepared_cursor(self, *, raw: bool = False) -> Any:
        """A cursor for fixed statements that look rows up by their keys: planned once, with row-level security, where
        planning would cost several times what running them does.

        Not for statements whose plan depends on the values, such as lists and sums: the kept plan is the same for an
        organisation of ten rows and one of a million. A `raw` one takes PostgreSQL's own placeholders ($1).
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor: Any
            if settings.DATABASE_PREPARE:
                cursor = DirectCursor(self.connection, self._statements, raw=raw)
            else:
                cursor = (psycopg.RawCursor if raw else psycopg.Cursor)(self.connection)
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]

    def direct_cursor(self) -> Any:
        """A cursor for statements that are planned for their values, like Django's, at a third of the cost."""
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = DirectCursor(self.connection, None)
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]


def direct_cursor() -> Any:
    """The default connection's `direct_cursor`."""
    wrapper: Any = connection
    return wrapper.direct_cursor()


def prepared_cursor(*, raw: bool = False) -> Any:
    """The default connection's `prepared_cursor`."""
    wrapper: Any = connection
    return wrapper.prepared_cursor(raw=raw)
