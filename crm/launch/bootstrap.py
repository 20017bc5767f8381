"""Makes roles, database and extensions: `python -m crm.launch.bootstrap`, as a superuser, before migrations.

Reads three URLs from the environment: DATABASE_SUPERUSER_URL (any database), DATABASE_OWNER_URL and DATABASE_URL.
Roles get the passwords of the last two. Used by `make up`, the tests and docker-compose; needs psycopg only.
"""

import os
import sys
import time
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

BOOTSTRAP_SQL = Path(__file__).parents[1] / "tenancy" / "sql" / "bootstrap.sql"


def bootstrap(superuser_url: str, owner_url: str, app_url: str, *, template_maker: bool = False) -> None:
    """Bring the server to the state that migrations expect; does no harm when it is there already.

    `template_maker` lets the owner create databases, which only a throwaway test cluster allows.
    """
    owner, app = conninfo.conninfo_to_dict(owner_url), conninfo.conninfo_to_dict(app_url)
    database = str(owner["dbname"])
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        ensure_database(connection, database)
    with psycopg.connect(superuser_url, dbname=database, autocommit=True) as connection:
        connection.execute(BOOTSTRAP_SQL.read_text())
        if template_maker:
            connection.execute("ALTER ROLE keel_owner CREATEDB")
        for role, parts in (("keel_owner", owner), ("keel_app", app)):
            set_password(connection, role, str(parts["password"]))


def ensure_database(connection: psycopg.Connection, name: str) -> None:
    """Create the database unless it exists."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Set a role's password, sent as its SCRAM verifier so that no server log can hold it in clear."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)),
    )


def main() -> None:
    """Run from the environment; waits up to a minute for a server that is still starting."""
    urls = [os.environ.get(name, "") for name in ("DATABASE_SUPERUSER_URL", "DATABASE_OWNER_URL", "DATABASE_URL")]
    if not all(urls):
        sys.exit("Set DATABASE_SUPERUSER_URL, DATABASE_OWNER_URL and DATABASE_URL.")
    deadline = time.monotonic() + 60
    while True:
        try:
            bootstrap(*urls)
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                sys.exit(f"The database server does not answer: {str(error).splitlines()[0]}")
            time.sleep(1)
        else:
            return


if __name__ == "__main__":
    main()
