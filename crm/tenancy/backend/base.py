"""Django's PostgreSQL backend, with two changes.

A transaction begins and takes its tenancy settings in one message (`BEGIN; SET LOCAL ...`), which saves a round
trip on every request; and a connection that died while idle is replaced when the next transaction begins, which
saves the health check's round trip.
"""

from django.db import InterfaceError, OperationalError
from django.db.backends.postgresql import base

from crm.tenancy import context


class DatabaseWrapper(base.DatabaseWrapper):
    """psycopg stays in autocommit mode; transactions are begun by hand."""

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
            self.connection.execute(message)

    def send_settings(self, statements: str) -> None:
        """Runs `SET LOCAL` statements in the open transaction, in one message.

        `statements` holds server-made values only (crm.tenancy.context quotes them).
        """
        self.ensure_connection()
        self._send(statements.encode())
