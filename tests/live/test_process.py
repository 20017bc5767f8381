"""The live stream as `make up` runs it: granian, one process of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest

from crm.launch.checkout import Checkout
from crm.launch.processes import stop
from crm.launch.testcluster import ClusterInfo
from crm.launch.up import application_parts
from crm.live.audience import EVERYBODY
from crm.live.buffer import live_process_runs
from tests.factories import Org, make_org
from tests.live.conftest import sign_in, tell
from tests.support.servers import answers, free_port, server_environment

pytestmark = pytest.mark.django_db(transaction=True)
BOARD = f"pipeline:{uuid4()}"


@dataclass
class LiveProcess:
    """A running live process."""

    process: subprocess.Popen[bytes]
    port: int
    origin: str

    def connect(self, org: Org, key: str) -> Wire:
        """Opens a stream by hand, as a browser does."""
        return Wire(self, org, key)


class Wire:
    """A connection that reads a stream."""

    def __init__(self, live: LiveProcess, org: Org, key: str) -> None:
        self.text = ""
        self.socket = socket.create_connection(("127.0.0.1", live.port), timeout=10)
        lines = [
            f"GET /live/{org.slug}/?topics={BOARD} HTTP/1.1", f"Host: 127.0.0.1:{live.port}", f"Origin: {live.origin}",
            f"Cookie: keel_session={key}", "", "",
        ]  # fmt: skip
        self.socket.sendall("\r\n".join(lines).encode())

    def until(self, text: str) -> None:
        """Reads until something has come."""
        while text not in self.text:
            data = self.socket.recv(65536)
            assert data, f"the stream ended without {text!r}: {self.text}"
            self.text += data.decode()

    def rest(self) -> str:
        """Reads to the end of the connection."""
        while data := self.socket.recv(65536):
            self.text += data.decode()
        return self.text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


@pytest.fixture
def live(cluster: ClusterInfo, worker_clone: str, valkey: object, tmp_path: Path) -> Iterator[LiveProcess]:
    port, web_port = free_port(), free_port()
    env = server_environment(cluster, worker_clone, tmp_path, web_port, port)
    parts = application_parts(Checkout.here(), env, host="127.0.0.1", port=web_port, live_port=port)
    [part] = [part for part in parts if part.name == "live"]
    with (tmp_path / "live.log").open("wb") as output:
        command = [str(word) for word in part.command]
        process = subprocess.Popen(command, env=dict(part.env), cwd=part.cwd, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while answers(port, "/healthz") != 200:
            assert process.poll() is None, (tmp_path / "live.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield LiveProcess(process, port, env["BASE_URL"])
    finally:
        stop(process)


def test_process_streams_and_ends_its_streams_in_good_order(live: LiveProcess) -> None:
    """A stream that is cut off would be an error on every open page's console when Keel is upgraded."""
    org = make_org()
    with live.connect(org, sign_in(org.member())) as wire:
        wire.until("event: reset")
        assert live_process_runs()
        tell(org, BOARD, EVERYBODY, number=7)
        wire.until('"number":7')
        started = time.monotonic()
        live.process.send_signal(signal.SIGTERM)
        text = wire.rest()
        assert "event: unavailable" in text
        assert text.endswith("0\r\n\r\n")
        assert live.process.wait(10) == 0
        assert time.monotonic() - started < 4
    assert not live_process_runs()
