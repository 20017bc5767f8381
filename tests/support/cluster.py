"""The databases of a test run: one template built by migrations, a clone of it for every worker."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from crm.launch.bootstrap import bootstrap
from crm.launch.testcluster import ClusterInfo

ROOT = Path(__file__).resolve().parents[2]
# Anything that changes what `migrate` leaves behind.
SCHEMA_SOURCES = ("**/migrations/*.py", "crm/tenancy/**/*.sql", "crm/tenancy/**/*.py", "requirements.lock")
LOCK_TEMPLATE = 7365_2001  # advisory lock: one process builds the template, the others wait
GIVEN_URLS = "KEEL_TEST_GIVEN_URLS"  # set for child processes that take their URLs from the environment as usual
BIG_TABLE = 4 * 1024 * 1024  # bytes from which a table is truncated, not deleted from


def worker_name() -> str:
    """The pytest-xdist worker this process is, `main` without xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def worker_number() -> int:
    """0 without xdist, else 1, 2, ... for gw0, gw1, ..."""
    name = worker_name()
    return int(name.removeprefix("gw")) + 1 if name.startswith("gw") else 0


def worker_database() -> str:
    """The database of this worker in this run; runs that share a cluster do not meet."""
    return f"test_{os.environ.get('KEEL_TEST_RUN', '0')}_{worker_name()}"


def schema_digest(root: Path = ROOT) -> str:
    """Changes whenever a migration, the SQL they load or a pinned library changes."""
    digest = hashlib.sha256()
    for pattern in SCHEMA_SOURCES:
        for path in sorted(root.glob(pattern)):
            if ".venv" not in path.parts and "node_modules" not in path.parts:
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def ensure_template(cluster: ClusterInfo) -> str:
    """Build the migrated template database unless this cluster has it; returns its name."""
    name = f"template_{schema_digest()}"
    with psycopg.connect(cluster.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_TEMPLATE])
        known = connection.execute("SELECT datistemplate FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known == (True,):
            return name
        _drop(connection, name)
        urls = cluster.superuser_url("postgres"), cluster.owner_url(name), cluster.app_url(name)
        bootstrap(*urls, template_maker=True)
        _migrate(cluster, name)
        connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(name)))
    return name


def clone(cluster: ClusterInfo, template: str, name: str) -> None:
    """Make the database `name` a fresh copy of the template, owned by the owner role."""
    with psycopg.connect(cluster.superuser_url("postgres"), autocommit=True) as connection:
        _drop(connection, name)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER keel_owner").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO keel_owner, keel_app").format(sql.Identifier(name)))


def drop(cluster: ClusterInfo, name: str) -> None:
    """Remove a worker's database, whoever is still connected."""
    with psycopg.connect(cluster.superuser_url("postgres"), autocommit=True) as connection:
        _drop(connection, name)


class Cleaner:
    """Empties a worker's database between tests that commit; rows that migrations made stay.

    The application's role may not truncate, and row-level security hides rows from the owner, so the throwaway
    cluster's superuser does it, with triggers and foreign keys asleep.
    """

    def __init__(self, cluster: ClusterInfo, database: str) -> None:
        self._url = cluster.superuser_url(database)
        self._connection: psycopg.Connection | None = None
        self._tables: list[str] = []

    def open(self) -> None:
        """Connect to the fresh clone and remember which tables migrations left empty."""
        self._connection = psycopg.connect(self._url, autocommit=True)
        self._connection.execute("SET session_replication_role = replica")
        self._connection.execute("SET client_min_messages = warning")
        names = self._connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        self._tables = [name for (name,) in names if not self._has_rows(name)]

    def clean(self) -> None:
        """Leave the database as it was cloned. Deleting beats truncating as long as tables are small."""
        if self._connection is None:
            return
        sizes = "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > %s"
        big = {name for (name,) in self._connection.execute(sizes, [BIG_TABLE])}
        small = [name for name in self._tables if name not in big]
        if small:
            self._connection.execute(";".join(f"DELETE FROM {name}" for name in small))  # type: ignore[arg-type]
        if heavy := [name for name in self._tables if name in big]:
            self._connection.execute(f"TRUNCATE {', '.join(heavy)} CASCADE")  # type: ignore[arg-type]

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _has_rows(self, table: str) -> bool:
        assert self._connection is not None
        found = self._connection.execute(f"SELECT EXISTS (SELECT FROM {table})").fetchone()  # type: ignore[arg-type]
        return found == (True,)


def _migrate(cluster: ClusterInfo, database: str) -> None:
    environment = {
        **os.environ,
        GIVEN_URLS: "1",
        "DATABASE_URL": cluster.owner_url(database),
        "DATABASE_OWNER_URL": cluster.owner_url(database),
        "REDIS_URL": cluster.redis_url(0),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "crm.config.settings.test"),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"migrate failed while the test template was built:\n{done.stdout}{done.stderr}")


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute("UPDATE pg_database SET datistemplate = false WHERE datname = %s AND datistemplate", [name])
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
