"""Embedded PostgreSQL: made, started and stopped by us.

The wheel brings the programs; its own helper is not used, because it starts with trust authentication and
widens directory permissions.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

from crm.launch.errors import LaunchError
from crm.launch.homes import Home, private_directory
from crm.launch.processes import end_pids, pids_working_in, spawn

PORT = 5432  # part of the socket's name only: nothing listens on TCP
SUPERUSER = "keel_super"

LAPTOP = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "96MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "autovacuum_max_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "io_method": "sync",  # saves three I/O worker processes; a laptop's data sits in the page cache
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_min_messages": "fatal",  # what fails in a statement is reported to, and logged by, whoever sent it
    "log_checkpoints": "off",
    "idle_in_transaction_session_timeout": "10min",
}
# A throwaway cluster may lose everything when the machine stops, so nothing waits for the disk.
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "5min",
    "max_connections": "100",
}


class Postgres:
    """One data directory and the server on it."""

    def __init__(self, home: Home, *, settings: dict[str, str] | None = None) -> None:
        self.home = home
        self.data = home.data / "postgres"
        self.settings = {**LAPTOP, "unix_socket_directories": str(home.sockets), **(settings or {})}

    def initialise(self, password: str) -> None:
        """Make the cluster unless it is there; a half-made one of an interrupted run is thrown away first.

        The password is the superuser's. Raises LaunchError when initdb fails, with its last line.
        """
        for half in self.home.data.glob("postgres.new*"):
            # An initdb that was killed leaves a server behind, which goes on writing for a moment.
            end_pids(partial(pids_working_in, half), signal.SIGKILL)
            shutil.rmtree(half, ignore_errors=True)
        if (self.data / "PG_VERSION").exists():
            return
        half = private_directory(self.home.data / "postgres.new", self.home.user)
        secret = half.with_name("postgres.new.pw")
        shutil.rmtree(secret, ignore_errors=True)
        private_directory(secret, self.home.user)
        pwfile = secret / "pw"
        pwfile.write_text(password)
        if self.home.user:
            os.chown(pwfile, self.home.user.pw_uid, self.home.user.pw_gid)
        pwfile.chmod(0o600)
        try:
            self._run(
                ["initdb", "-D", str(half), "-U", SUPERUSER, f"--pwfile={pwfile}", "--auth=scram-sha-256"]
                + ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
                + ["--no-sync", "--no-instructions"]
            )
        finally:
            shutil.rmtree(secret, ignore_errors=True)
        hba = half / "pg_hba.conf"
        hba.write_text("# Unix socket only, always with a password.\nlocal all all scram-sha-256\n")
        half.rename(self.data)

    def command(self) -> list[str]:
        """The server's command line, for the foreground."""
        options = [f"{name}={value}" for name, value in self.settings.items()]
        flags = [flag for option in options for flag in ("-c", option)]
        return [str(self.home.postgres_bin / "postgres"), "-D", str(self.data), *flags]

    def clear_the_way(self) -> None:
        """End what an earlier, killed run left of this cluster and remove its pid file.

        Only called by whoever holds the checkout's lock, so a server that still runs here belongs to nobody.
        The pid in the file may by now be another program's; what counts is who works in the data directory.
        """
        if not end_pids(lambda: pids_working_in(self.data), signal.SIGQUIT):
            raise LaunchError(f"An old PostgreSQL on {self.data} does not stop: end it, then try again.")
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        # The socket has a lock with a pid of its own, which may be another program's by now, too.
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (self.home.sockets / name).unlink(missing_ok=True)

    def wait_ready(self, alive: Callable[[], bool], patience: float = 60.0) -> None:
        """Wait until the server answers; raises LaunchError when it ended or `patience` seconds have passed."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not alive():
                raise LaunchError("PostgreSQL ended while starting: its last lines are above.")
            if self._status() == "ready":
                return
            time.sleep(0.02)
        raise LaunchError(f"PostgreSQL did not answer within {patience:.0f} seconds: look at its lines above.")

    def url(self, user: str, password: str, database: str) -> str:
        """A connection URL for the socket, as DATABASE_URL and libpq both take it."""
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgres://{who}@/{quote(database, safe='')}?host={quote(str(self.home.sockets), safe='')}&port={PORT}"

    def _status(self) -> str:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return ""
        return lines[7].strip() if len(lines) > 7 else ""

    def _run(self, arguments: Sequence[str | Path]) -> None:
        program, *rest = arguments
        process = spawn(
            [self.home.postgres_bin / program, *rest],
            env={"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"},
            cwd=self.home.data if not self.home.user else Path("/"),
            output=subprocess.PIPE,
            user=self.home.user,
        )
        text = process.communicate()[0].decode(errors="replace").strip()
        if process.returncode:
            raise LaunchError(f"{program} failed: {explain(text)}")


def explain(text: str) -> str:
    """The line of a server's output that says why, with what to do where that is known."""
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines:
        if "No space left" in line:
            return "the disk is full: free some space, then run the command again."
        if "FATAL" in line or "error:" in line:
            return line.strip()
    return lines[-1] if lines else "no output"
