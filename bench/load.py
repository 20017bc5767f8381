"""Fills a migrated, empty database with rows of a known size, and remembers what it was filled with."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from bench import tables
from bench.scale import Scale
from bench.tables import Fill
from crm.launch.bootstrap import bootstrap
from crm.launch.up import schema_digest

HERE = Path(__file__).parent
BATCH = 100_000  # rows of one statement
# What a column holds that nothing is said about, by type: the application would have filled it.
EMPTY = {
    "text": "''", "character varying": "''", "boolean": "false", "jsonb": "'{}'", "ARRAY": "'{}'", "smallint": "0",
    "integer": "0", "bigint": "0", "timestamp with time zone": "at(0)",
}  # fmt: skip


def digest(scale: Scale, root: Path) -> str:
    """Changes whenever the loaded rows would be others: with the schema, the loader, or the size."""
    found = hashlib.sha256(f"{schema_digest(root)} {scale}".encode())
    for name in ("helpers.sql", "load.py", "names.py", "scale.py", "tables.py"):
        found.update((HERE / name).read_bytes())
    return found.hexdigest()[:24]


def load(superuser_url: str, scale: Scale, now: dt.datetime, say: Callable[[str], None] = lambda _text: None) -> None:
    """Writes all rows, as a superuser whose session runs no triggers and checks no foreign keys, then vacuums.

    `now` is the moment the rows look back from. Only for a database that nothing else uses.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET client_min_messages = warning")
        connection.execute("SET timezone = 'UTC'")
        helpers = (HERE / "helpers.sql").read_text(encoding="utf-8")
        connection.execute(helpers.format(**tables.constants(scale, now.isoformat())).encode())
        for fill in tables.fills(scale):
            started = time.monotonic()
            _fill(connection, fill)
            say(f"{fill.table:<28}{time.monotonic() - started:6.1f} s")
        connection.execute("DROP SCHEMA bench CASCADE")
        started = time.monotonic()
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        say(f"{'vacuum':<28}{time.monotonic() - started:6.1f} s")


def _fill(connection: psycopg.Connection, fill: Fill) -> None:
    columns = {**_fillers(connection, fill), **fill.columns}
    # Expressions are ours and so are table names; nothing here comes from outside.
    text = f"INSERT INTO {fill.table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {fill.source}"
    for low in range(0, max(fill.rows, 1), BATCH):
        connection.execute(text.format(low=low, high=min(low + BATCH, fill.rows)).encode())


def _fillers(connection: psycopg.Connection, fill: Fill) -> dict[str, str]:
    """Values for columns that must hold something and that the loader says nothing of."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL"
        " AND is_identity = 'NO' AND is_generated = 'NEVER'",
        [fill.table],
    ).fetchall()
    left = {name: kind for name, kind in rows if name not in fill.columns}
    if unknown := {name: kind for name, kind in left.items() if kind not in EMPTY}:
        raise RuntimeError(f"The loader doesn't know what to put into {fill.table}: {unknown}")
    return {name: EMPTY[kind].replace("{", "{{").replace("}", "}}") for name, kind in left.items()}


class Loaded:
    """The loaded database of a cluster, kept untouched as a template, and the copy that a run may change."""

    TEMPLATE, COPY = "keel_loaded", "keel"

    def __init__(self, superuser_url: str, owner_url: str, app_url: str) -> None:
        self.superuser_url, self.owner_url, self.app_url = superuser_url, owner_url, app_url

    def is_current(self, wanted: str) -> bool:
        """Whether the template holds what `digest` stands for, in full."""
        comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            row = connection.execute(comment, [self.TEMPLATE]).fetchone()
        return row is not None and row[0] == wanted

    def make(self, wanted: str, fill: Callable[[], None]) -> None:
        """Makes the template anew: `fill` migrates and loads it; it counts as made only when that is over."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            for name in (self.COPY, self.TEMPLATE):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        bootstrap(self.superuser_url, self.owner_url, self.app_url)
        fill()
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
            connection.execute(statement.format(sql.Identifier(self.TEMPLATE), sql.Literal(wanted)))

    def copy(self) -> None:
        """Replaces the copy by a fresh one, so that every run begins with the same rows."""
        template, copy = sql.Identifier(self.TEMPLATE), sql.Identifier(self.COPY)
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(copy))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER keel_owner STRATEGY FILE_COPY").format(copy, template)
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(copy))
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO keel_owner, keel_app").format(copy))
