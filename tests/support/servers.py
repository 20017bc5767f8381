"""Real server processes for browser tests: web, live stream, worker and relay, as `make up` starts them."""

import contextlib
import http.client
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm.launch.checkout import Checkout
from crm.launch.processes import spawn, stop
from crm.launch.testcluster import ClusterInfo
from crm.launch.up import application_parts
from tests.support.cluster import GIVEN_URLS, worker_number

START_PATIENCE = 60.0  # seconds
PORTS = (12_000, 32_000)
PARTS = ("web", "live", "worker", "relay")


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


@pytest.fixture(scope="module")
def running_keel(
    cluster: ClusterInfo,
    worker_clone: str,
    database_cleaner: object,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningKeel]:
    """Web, live, worker and relay of this worker, for the tests of one module, which commit: `transaction=True`.

    Not for the whole session: the relay would go on to take the events of every test after these.
    """
    var = tmp_path_factory.mktemp("keel-var")
    port, live_port = free_port(), free_port()
    env = server_environment(cluster, worker_clone, var, port, live_port)
    checkout = Checkout.here()
    collect = [str(checkout.python), "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(collect, cwd=checkout.root, env=env, check=True)
    processes: dict[str, subprocess.Popen[bytes]] = {}
    keel = RunningKeel(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{live_port}", var, var)
    try:
        for part in application_parts(checkout, env, host="127.0.0.1", port=port, live_port=live_port):
            if part.name in PARTS:
                with (var / f"{part.name}.log").open("wb") as output:
                    processes[part.name] = spawn(part.command, env=part.env, cwd=part.cwd, output=output)
        _wait(keel, processes, port, live_port)
        yield keel
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            stop(process)


def _wait(keel: RunningKeel, processes: dict[str, subprocess.Popen[bytes]], port: int, live_port: int) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while answers(port, "/readyz") != 200 or answers(live_port, "/healthz") != 200:
        ended = [name for name, process in processes.items() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            names = ended or list(processes)
            pytest.fail("Keel did not start:\n" + "\n".join(f"--- {name}\n{keel.log(name)[-3000:]}" for name in names))
        time.sleep(0.1)
