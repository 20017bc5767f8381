"""The bench's own PostgreSQL and Valkey, with the settings of `make up`, and the loaded database in them."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg

from bench.load import Loaded, digest, load
from bench.scale import Scale
from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.homes import open_home
from crm.launch.postgres import SUPERUSER, Postgres
from crm.launch.processes import spawn, stop
from crm.launch.secrets import ensure_secrets
from crm.launch.valkey import Valkey

SETTINGS = {
    # Counts statements and the pages they touch; switched on for the counting pass alone (bench/counters.py).
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_planning": "on",
    "pg_stat_statements.max": "10000",
    "compute_query_id": "on",  # all the time: a statement that was prepared without an id is never counted
    # Nothing but the requests shall run while they are counted.
    "autovacuum_naptime": "1d",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}
PASSED_ON = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV"}


class Cluster:
    """One size's servers in `var/bench/<size>`; the loaded data stays there between runs."""

    def __init__(self, checkout: Checkout, scale: Scale) -> None:
        self.checkout, self.scale = checkout, scale
        self.var = checkout.var / "bench" / scale.name
        self.var.mkdir(parents=True, exist_ok=True)
        self._processes: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        self.home = open_home(checkout.site_packages, self.var, notice=False)
        self.secrets = ensure_secrets(self.var, data=self.home.data)
        self.postgres = Postgres(self.home, settings=SETTINGS)
        self.valkey = Valkey(self.home)

    @property
    def logs(self) -> Path:
        """What servers and parts have printed."""
        path = self.var / "logs"
        path.mkdir(exist_ok=True)
        return path

    @property
    def postmaster(self) -> int:
        """The process all of PostgreSQL's descend from."""
        return self._processes[0][0].pid

    @property
    def valkey_pid(self) -> int:
        """Valkey's process."""
        return self._processes[1][0].pid

    def url(self, role: str, database: str) -> str:
        """A connection URL; `role` is "super", "owner" or "app"."""
        user, secret = {
            "super": (SUPERUSER, "POSTGRES_SUPERUSER_PASSWORD"),
            "owner": ("keel_owner", "POSTGRES_OWNER_PASSWORD"),
            "app": ("keel_app", "POSTGRES_APP_PASSWORD"),
        }[role]
        return self.postgres.url(user, self.secrets[secret], database)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Both servers, for the length of a block. Raises LaunchError when another bench of this size runs."""
        with (self.var / "lock").open("w") as lock:
            _take(lock, self.scale)
            self.postgres.initialise(self.secrets["POSTGRES_SUPERUSER_PASSWORD"])
            self.valkey.configure(self.secrets["VALKEY_PASSWORD"])
            try:
                for server, name, how in (
                    (self.postgres, "postgres", signal.SIGINT),
                    (self.valkey, "valkey", signal.SIGTERM),
                ):
                    self._start(server, name, how)
                yield
            finally:
                for process, how in reversed(self._processes):
                    stop(process, how)
                self._processes.clear()

    def environment(self, database: str, port: int, live_port: int) -> dict[str, str]:
        """What Keel's processes get: production settings, reached as if through a proxy that speaks TLS."""
        kept = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "crm.config.settings.prod",
            "KEEL_VAR": str(self.var),
            "KEEL_SUPERVISED": "1",
            "SECRET_KEY": self.secrets["SECRET_KEY"],
            "MASTER_KEYS": self.secrets["MASTER_KEYS"],
            "DATABASE_URL": self.url("app", database),
            "REDIS_URL": self.valkey.url(self.secrets["VALKEY_PASSWORD"]),
            "BASE_URL": f"https://127.0.0.1:{port}",
            "LIVE_URL": f"https://127.0.0.1:{live_port}",
            "BEHIND_TLS_PROXY": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def prepare(self, say: Callable[[str], None]) -> None:
        """Loads the data unless it is there already, and makes the copy that this run may change."""
        super_url = self.url("super", "postgres")
        template = Loaded.TEMPLATE
        loaded = Loaded(super_url, self.url("owner", template), self.url("app", template))
        wanted = digest(self.scale, self.checkout.root)
        if not loaded.is_current(wanted):
            say(f"Loading {self.scale.contacts:,} contacts ...")
            loaded.make(wanted, lambda: self._fill(template, say))
        loaded.copy()
        # Relay, worker and live stream leave the counting (bench/servers.py); only a superuser could without this.
        self.superuser("GRANT SET ON PARAMETER pg_stat_statements.track TO keel_app")
        self.superuser("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def superuser(self, statement: str) -> None:
        """Runs one statement as superuser on the run's copy."""
        with psycopg.connect(self.url("super", Loaded.COPY), autocommit=True) as connection:
            connection.execute(statement.encode())

    def manage(self, *arguments: str, env: dict[str, str]) -> None:
        """Runs a `manage.py` command to its end. Raises LaunchError with what it printed."""
        command = [str(self.checkout.python), "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.checkout.root, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LaunchError(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")

    def _fill(self, database: str, say: Callable[[str], None]) -> None:
        env = self.environment(database, 8000, 8001) | {"DATABASE_OWNER_URL": self.url("owner", database)}
        self.manage("migrate", "--verbosity=0", "--skip-checks", env=env)
        load(self.url("super", database), self.scale, dt.datetime.now(dt.UTC).replace(microsecond=0), say)

    def _start(self, server: Postgres | Valkey, name: str, how: signal.Signals) -> None:
        server.clear_the_way()
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = spawn(
                server.command(),
                env={"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"},
                cwd=Path("/"),
                output=output,
                user=server.home.user,
                death_signal=how,
            )
        self._processes.append((process, how))
        try:
            server.wait_ready(lambda: process.poll() is None)
        except LaunchError as error:
            raise LaunchError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error


def _take(lock: IO[str], scale: Scale) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LaunchError(f"Another bench of size {scale.name} is running: wait for it to end.") from None
