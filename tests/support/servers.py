"""Real server processes for browser tests: web, live stream, worker and relay, as `make up` starts them."""

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from crm.launch.checkout import Checkout
from crm.launch.processes import spawn
from crm.launch.testcluster import ClusterInfo
from crm.launch.up import application_parts
from tests.support.cluster import GIVEN_URLS, worker_number

START_PATIENCE = 60.0  # seconds
PORTS = (12_000, 32_000)
SERVING, WORKING = ("web", "live"), ("worker", "relay")


@dataclass(frozen=True)
class RunningKeel:
    """Servers on loopback, over the worker's own database."""

    url: str
    live_url: str
    var: Path
    logs: Path

    def log(self, part: str) -> str:
        """What a part has printed so far."""
        return (self.logs / f"{part}.log").read_text(errors="replace")


def free_port() -> int:
    """A loopback port that nothing listens on now, nor on the next one.

    It is below those that the system gives to outgoing connections, of which one could have it before a server does.
    """
    while True:
        port = random.randrange(*PORTS, 2)
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", port))
            next_one.bind(("127.0.0.1", port + 1))
            return port


def answers(port: int, path: str) -> int:
    """The status of a GET, 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0


def server_environment(cluster: ClusterInfo, database: str, var: Path, port: int, live_port: int) -> dict[str, str]:
    """Settings of `make up`, over a test database."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TZ", "TMPDIR"}}
    return {
        **kept,
        GIVEN_URLS: "1",
        "DJANGO_SETTINGS_MODULE": "tests.support.running_settings",
        "KEEL_SUPERVISED": "1",
        "KEEL_VAR": str(var),
        "DATABASE_URL": cluster.app_url(database),
        "REDIS_URL": cluster.redis_url(worker_number()),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "LIVE_URL": f"http://127.0.0.1:{live_port}",
        # The same keys as the test process, so that both read what either has encrypted or signed.
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "MASTER_KEYS": os.environ["MASTER_KEYS"],
        "PYTHONUNBUFFERED": "1",
    }


@dataclass(frozen=True)
class _Standing:
    """What serves one worker from its first browser test to its last."""

    keel: RunningKeel
    port: int
    live_port: int
    env: dict[str, str]


@contextlib.contextmanager
def _started(standing: _Standing, *names: str, ready: Callable[[], bool]) -> Iterator[None]:
    """Some parts of Keel, as `make up` starts them, until the block ends; it begins when they are `ready`."""
    checkout = Checkout.here()
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        parts = application_parts(
            checkout, standing.env, host="127.0.0.1", port=standing.port, live_port=standing.live_port
        )
        for part in parts:
            if part.name in names:
                with (standing.keel.logs / f"{part.name}.log").open("wb") as output:
                    processes[part.name] = spawn(part.command, env=part.env, cwd=part.cwd, output=output)
        _wait(standing.keel, processes, ready)
        yield
    finally:
        for process in processes.values():
            # With all that it started, and at once: nobody waits for what it had in hand.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="session")
def standing(
    cluster: ClusterInfo,
    worker_clone: str,
    database_cleaner: object,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[_Standing]:
    """Web and live of this worker; who asks for nothing is told nothing by them."""
    var = tmp_path_factory.mktemp("keel-var")
    port, live_port = free_port(), free_port()
    env = server_environment(cluster, worker_clone, var, port, live_port)
    checkout = Checkout.here()
    collect = [str(checkout.python), "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(collect, cwd=checkout.root, env=env, check=True)
    keel = RunningKeel(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{live_port}", var, var)
    found = _Standing(keel, port, live_port, env)
    with _started(
        found, *SERVING, ready=lambda: answers(port, "/readyz") == 200 and answers(live_port, "/healthz") == 200
    ):
        yield found


@pytest.fixture(scope="module")
def running_keel(standing: _Standing, cluster: ClusterInfo, worker_clone: str) -> Iterator[RunningKeel]:
    """Web, live, worker and relay of this worker, for the tests of one module, which commit: `transaction=True`.

    Worker and relay are not there for the whole session: they would take what every test after these sends.
    """
    with psycopg.connect(cluster.superuser_url(worker_clone), autocommit=True) as superuser:

        def ready() -> bool:
            relays = superuser.execute(
                "SELECT FROM pg_stat_activity WHERE datname = %s AND application_name = 'relay'", [worker_clone]
            )
            return relays.rowcount > 0 and "ready." in standing.keel.log("worker")

        with _started(standing, *WORKING, ready=ready):
            yield standing.keel


def _wait(keel: RunningKeel, processes: dict[str, subprocess.Popen[bytes]], ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while not ready():
        ended = [name for name, process in processes.items() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            logs = (f"--- {name}\n{keel.log(name)[-3000:]}" for name in ended or processes)
            pytest.fail("Keel did not start:\n" + "\n".join(logs))
        time.sleep(0.1)
