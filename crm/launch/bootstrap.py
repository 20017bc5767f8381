"""Makes roles, database and extensions: `python -m crm.launch.bootstrap`, as a superuser, before migrations.

Reads three URLs from the environment: DATABASE_SUPERUSER_URL (any database), DATABASE_OWNER_URL and DATABASE_URL.
Roles get the passwords of the last two. Used by `make up`, the tests and docker-compose; needs psycopg only.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import conninfo, sql

T = TypeVar("T")
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


def schema_is(owner_url: str, digest: str) -> bool:
    """Whether the database was last migrated with `digest` and nobody has migrated it since by hand."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        return _stored_stamp(connection) == _stamp(connection, digest)


def mark_schema(owner_url: str, digest: str) -> None:
    """Remember in the database itself, as its comment, what it was migrated with."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
        name, text = sql.Identifier(connection.info.dbname), sql.Literal(_stamp(connection, digest))
        connection.execute(statement.format(name, text))


def _stored_stamp(connection: psycopg.Connection) -> str:
    comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    row = connection.execute(comment).fetchone()
    return (row and row[0]) or ""


def _stamp(connection: psycopg.Connection, digest: str) -> str:
    applied = "none"
    if connection.execute("SELECT to_regclass('django_migrations')").fetchone() != (None,):
        rows = connection.execute("SELECT md5(string_agg(app || '.' || name, ',' ORDER BY id)) FROM django_migrations")
        applied = (rows.fetchone() or ("none",))[0] or "none"
    return f"keel schema {digest} {applied}"


def main() -> None:
    """Run from the environment; waits up to a minute for a server that is still starting.

    Without arguments: bootstrap. `--schema DIGEST`: print `current` or `behind` as well. `--mark-schema DIGEST`:
    only remember the digest after migrations.
    """
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--schema", default="")
    parser.add_argument("--mark-schema", default="")
    arguments = parser.parse_args()
    superuser, owner, app = (
        os.environ.get(name, "") for name in ("DATABASE_SUPERUSER_URL", "DATABASE_OWNER_URL", "DATABASE_URL")
    )
    if not (owner and app):
        sys.exit("Set DATABASE_OWNER_URL and DATABASE_URL.")
    if arguments.mark_schema:
        mark_schema(owner, arguments.mark_schema)
        return
    if superuser:
        patiently(lambda: bootstrap(superuser, owner, app))
    if arguments.schema:
        print("current" if patiently(lambda: schema_is(owner, arguments.schema)) else "behind")


def patiently(work: Callable[[], T], seconds: float = 60.0) -> T:
    """Do `work`, again every second while the server does not answer; exits with one line after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return work()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                sys.exit(f"The database server does not answer: {str(error).splitlines()[0]}")
            time.sleep(1)


if __name__ == "__main__":
    main()
