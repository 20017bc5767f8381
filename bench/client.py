"""Asks one request after the other and remembers how long each took."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import orjson

CONNECTIONS = 8  # kept open and used in turn, so that every web process gets its share
CSRF = "b" * 32  # the cookie and the header must agree; what they say is nobody's secret here


@dataclass(frozen=True)
class Request:
    """One request. `data` is sent as a form or as JSON; `expect` are the statuses that count as success."""

    path: str
    method: str = "GET"
    data: Mapping[str, object] = field(default_factory=dict)
    session: str = ""
    partial: bool = False  # by htmx
    json: bool = False  # by a script of ours, which wants JSON back
    expect: tuple[int, ...] = (200,)


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    size: int
    seconds: float
    body: bytes


class UnexpectedAnswerError(RuntimeError):
    """A request was not answered as it should be, so its cost would mean nothing."""


class Client:
    """A browser of few words: one request at a time, no compression, nothing kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = 0
        self._connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _n in range(CONNECTIONS)]

    def send(self, request: Request) -> Answer:
        """Sends a request and reads the whole answer. Raises UnexpectedAnswerError for another status than expected."""
        connection = self._connections[self.sent % CONNECTIONS]
        self.sent += 1
        body = None
        if request.data:
            body = orjson.dumps(request.data) if request.json else urlencode(request.data, doseq=True).encode()
        headers = self._headers(request, body is not None)
        started = time.perf_counter()
        try:
            connection.request(request.method, request.path, body, headers)
            response = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            connection.close()  # the server ends connections that were idle for long
            started = time.perf_counter()
            connection.request(request.method, request.path, body, headers)
            response = connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        if response.status not in request.expect:
            where = f"{request.method} {request.path}: {response.status} {response.getheader('Location') or ''}"
            raise UnexpectedAnswerError(f"{where}\n{content[:600].decode(errors='replace')}")
        return Answer(response.status, len(content), seconds, content)

    def close(self) -> None:
        """Closes all connections."""
        for connection in self._connections:
            connection.close()

    def _headers(self, request: Request, has_body: bool) -> dict[str, str]:
        # Production settings expect TLS to end at a proxy.
        headers = {"Host": f"127.0.0.1:{self.port}", "X-Forwarded-Proto": "https"}
        headers["Cookie"] = f"keel_session={request.session}; keel_csrf={CSRF}" if request.session else ""
        if request.partial:
            headers["HX-Request"] = "true"
        if request.method != "GET":
            headers |= {"X-CSRFToken": CSRF, "Origin": f"https://127.0.0.1:{self.port}"}
        if request.json:
            headers["Accept"] = "application/json"
        if has_body:
            headers["Content-Type"] = "application/json" if request.json else "application/x-www-form-urlencoded"
        return headers
