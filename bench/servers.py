"""Keel's own processes, started as `make up` starts them, over the bench's database."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cluster import Cluster
from bench.load import Loaded
from crm.launch.browserlibs import ensure_browser_libraries
from crm.launch.errors import LaunchError
from crm.launch.processes import spawn, stop
from crm.launch.stamps import digest_of_tree, is_current, set_stamp
from crm.launch.up import application_parts

PATIENCE = 60.0  # seconds until a server answers
TLS = {"X-Forwarded-Proto": "https"}
UNCOUNTED = "-c pg_stat_statements.track=none"


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Servers:
    """Web, live stream, worker, beat and relay, and the floor's bare web server."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.port, self.live_port, self.floor_port = free_port(), free_port(), free_port()
        self.env = cluster.environment(Loaded.COPY, self.port, self.live_port)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def background(self) -> list[int]:
        """What works behind the requests: live stream, worker, beat, relay, and the broker."""
        names = ("live", "worker", "beat", "relay")
        return [self.processes[name].pid for name in names] + [self.cluster.valkey_pid]

    def pid(self, name: str) -> int:
        """The first process of a part."""
        return self.processes[name].pid

    @contextmanager
    def running(self, floor_actors: Path) -> Iterator[None]:
        """All of them, ready to answer, for the length of a block. `floor_actors` is what the floor acts as."""
        checkout = self.cluster.checkout
        self._collect_static()
        (self.cluster.var / "celerybeat-schedule").unlink(missing_ok=True)
        try:
            parts = application_parts(checkout, self.env, host="127.0.0.1", port=self.port, live_port=self.live_port)
            for part in parts:
                # The name by which the database's processes are told apart; only the web's statements are counted.
                extra = {"PGAPPNAME": part.name} | ({} if part.name == "web" else {"PGOPTIONS": UNCOUNTED})
                self._start(part.name, [str(word) for word in part.command], {**part.env, **extra})
            self._start("floor", *self._floor(floor_actors))
            for name, port, path in (
                ("web", self.port, "/readyz"),
                ("live", self.live_port, "/healthz"),
                ("floor", self.floor_port, "/one"),
            ):
                self._wait(name, port, path)
            yield
        finally:
            for process in self.processes.values():
                process.terminate()
            for process in self.processes.values():
                stop(process)
            self.processes.clear()

    def _floor(self, actors: Path) -> tuple[list[str], dict[str, str]]:
        python = str(self.cluster.checkout.python)
        command = [python, "-m", "granian", "--host", "127.0.0.1", "--no-ws", "--log-level", "warning"]
        command += ["--interface", "wsgi", "--port", str(self.floor_port), "--workers", "2", "--blocking-threads", "2"]
        env = {**self.env, "PGAPPNAME": "floor", "FLOOR_ACTORS": str(actors)}
        return [*command, "bench.floor:application"], env

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> None:
        with (self.cluster.logs / f"{name}.log").open("wb") as output:
            self.processes[name] = spawn(command, env=env, cwd=self.cluster.checkout.root, output=output)

    def _wait(self, name: str, port: int, path: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while status(port, path) != 200:
            ended = [part for part, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                part = (ended or [name])[0]
                log = (self.cluster.logs / f"{part}.log").read_text(errors="replace")[-2000:]
                raise LaunchError(f"{part} did not start:\n{log}")
            time.sleep(0.1)

    def _collect_static(self) -> None:
        checkout, stamp = self.cluster.checkout, self.cluster.var / "static.stamp"
        ensure_browser_libraries(checkout)
        wanted = digest_of_tree(checkout.root / "static")
        if not is_current(stamp, wanted):
            self.cluster.manage("collectstatic", "--noinput", "--clear", "--verbosity=0", env=self.env)
            set_stamp(stamp, wanted)


def status(port: int, path: str) -> int:
    """The status that a server answers with; 0 while none answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path, headers=TLS)
            return connection.getresponse().status
        except OSError:
            return 0
