"""`make up` as a whole: first start, second start, two at once, every way to end it."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from crm.launch.checkout import Checkout
from crm.launch.secrets import read
from tests.support.servers import free_port

ROOT = Checkout.here().root

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Run:
    """One `make up`, its output collected by a thread."""

    def __init__(self, var: Path, port: int, **settings: str) -> None:
        # Only what a login shell has: the suite's own DATABASE_URL must not leak into the run.
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        numbers = {"PORT": str(port), "LIVE_PORT": str(port + 1)}
        env = {**kept, "KEEL_VAR": str(var), "KEEL_DEMO": "0", **numbers, **settings}
        self.port = port
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "crm.launch", "up"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_ready(self, patience: float = 120.0) -> None:
        """Waits until /readyz answers 200."""
        deadline = time.monotonic() + patience
        while get(self.port, "/readyz")[0] != 200:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)
        while "Keel is ready" not in self.output:
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def end(self, how: signal.Signals, patience: float = 30.0) -> int:
        """Send a signal and wait; returns the exit code."""
        self.process.send_signal(how)
        return self.finish(patience)

    def finish(self, patience: float = 30.0) -> int:
        code = self.process.wait(patience)
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""


def processes_of(var: Path) -> list[str]:
    """Everything that runs for `var`: by its environment, its directory or its command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            if state != "Z" and (str(var).encode() in text or os.readlink(entry / "cwd").startswith(str(var))):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
    return found


def wait_until_gone(var: Path, patience: float = 15.0) -> list[str]:
    deadline = time.monotonic() + patience
    while (left := processes_of(var)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def clean_end(var: Path) -> Iterator[None]:
    """Whatever a failing test leaves behind is ended, so that it cannot disturb others."""
    yield
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if f"KEEL_VAR={var}".encode() in (entry / "environ").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)


@pytest.mark.usefixtures("clean_end")
def test_up_from_nothing_to_every_kind_of_end(var: Path, port: int) -> None:
    first = Run(var, port)
    first.wait_ready()
    assert f"Keel is ready at http://127.0.0.1:{port}/" in first.output
    assert json.loads(get(port, "/readyz")[1]) == {"database": "ok", "broker": "ok", "migrations": "ok"}
    assert get(port + 1, "/healthz") == (200, "ok")
    assert listening_tcp(var) == {("127.0.0.1", port), ("127.0.0.1", port + 1)}
    assert (var / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert (var / "run.env").stat().st_mode & 0o777 == 0o600

    second = Run(var, port)
    assert second.finish() == 1
    assert second.output == (
        f"keel: Keel already runs from this checkout and answers at http://127.0.0.1:{port}/: "
        "use that one, or stop it with Ctrl-C there.\n"
    )

    with psycopg.connect(read(var / "run.env")["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    assert first.end(signal.SIGTERM) == 0
    assert wait_until_gone(var, 2) == []

    again = Run(var, port)
    again.wait_ready()  # how fast: bench/jobs.py
    assert not re.search("Installing|Fetching|Collecting|Bringing|demo data", again.output), again.output
    with psycopg.connect(read(var / "run.env")["DATABASE_OWNER_URL"]) as owner:
        assert owner.execute("SELECT seven FROM kept").fetchone() == (7,)
    again.process.kill()
    again.finish()
    assert wait_until_gone(var) == []

    third = Run(var, port)
    third.wait_ready()
    assert third.end(signal.SIGINT) == 0
    assert wait_until_gone(var, 2) == []
    refuses_the_outside_while_demo_users_exist(var, port)


def refuses_the_outside_while_demo_users_exist(var: Path, port: int) -> None:
    run = Run(var, port)
    run.wait_ready()
    with psycopg.connect(read(var / "run.env")["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(
            "INSERT INTO crm_user (email, password, name, locale, time_zone, theme, shortcuts, is_active, is_demo,"
            " date_joined) VALUES ('demo@example.com', '', '', 'en', '', '', true, true, true, now())"
        )
    run.end(signal.SIGTERM)
    outside = Run(var, port, HOST="0.0.0.0")
    assert outside.finish(60) == 1
    assert "1 demo users with known passwords are in this database" in outside.output
    assert get(port, "/healthz") == (0, "")
    assert wait_until_gone(var, 2) == []


def listening_tcp(var: Path) -> set[tuple[str, int]]:
    """Addresses on which processes of this run listen."""
    sockets = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if str(var).encode() in (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes():
                sockets |= {os.readlink(link) for link in (entry / "fd").iterdir()}
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[3] == "0A" and f"socket:[{columns[9]}]" in sockets:
            address, number = columns[1].split(":")
            found.add((".".join(str(byte) for byte in reversed(bytes.fromhex(address))), int(number, 16)))
    return found


@pytest.mark.usefixtures("clean_end")
def test_up_with_a_port_in_use_starts_nothing(var: Path, port: int) -> None:

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        run = Run(var, port)
        assert run.finish() == 1
    assert run.output == (
        f"keel: Port {port + 1} is in use by another program: stop it, or choose another with make up LIVE_PORT=...\n"
    )
    assert not (var / "postgres").exists()


@pytest.mark.usefixtures("clean_end")
def test_up_stopped_in_the_middle_of_the_first_run_is_recovered_by_the_next(var: Path, port: int) -> None:
    first = Run(var, port)
    deadline = time.monotonic() + 60
    while "Bringing the database up to date" not in first.output:
        assert time.monotonic() < deadline, first.output
        time.sleep(0.02)
    first.process.kill()
    first.finish()
    assert wait_until_gone(var) == []
    second = Run(var, port)
    second.wait_ready()
    assert second.end(signal.SIGTERM) == 0
