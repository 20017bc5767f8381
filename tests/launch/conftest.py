"""Servers of their own for the launcher's tests."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.homes import Home, open_home
from crm.launch.postgres import THROWAWAY, Postgres
from crm.launch.processes import spawn, stop
from tests.support.places import reachable_directory


@pytest.fixture
def var() -> Iterator[Path]:
    """A data directory that another user can reach, as a checkout's is."""
    with reachable_directory() as directory:
        path = directory / "var"
        path.mkdir(mode=0o755)
        yield path


@pytest.fixture
def home(var: Path) -> Home:
    """Places for servers below `var`."""
    return open_home(Checkout.here().site_packages, var, notice=False)


@pytest.fixture
def postgres(home: Home) -> Postgres:
    """A cluster that is initialised and not running; its superuser's password is `pw`."""
    server = Postgres(home, settings=THROWAWAY)
    server.initialise("pw")
    return server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Postgres], subprocess.Popen[bytes]]]:
    """Starts a server, waits until it answers, and stops it after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(server: Postgres) -> subprocess.Popen[bytes]:
        log = tmp_path / f"server-{len(running)}.log"
        with log.open("wb") as output:
            process = spawn(
                server.command(),
                env={},
                cwd=Path("/"),
                output=output,
                user=server.home.user,
                death_signal=signal.SIGQUIT,
            )
        running.append(process)
        try:
            server.wait_ready(lambda: process.poll() is None)
        except LaunchError as error:
            raise LaunchError(f"{error}\n{log.read_text()}") from error
        return process

    yield begin
    for process in running:
        stop(process, signal.SIGQUIT)
