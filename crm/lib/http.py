"""The one client for calls to other servers, whoever named them: webhooks, providers, pictures.

It connects to public addresses only, to the very address that was checked, within one deadline, and reads a limited
number of bytes. OUTBOUND_ALLOW names what may be reached beside the public internet (self-hosted receivers, emulators).
No call belongs into a database transaction.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpcore
import httpx
import orjson
from django.conf import settings
from tenacity import RetryError, Retrying, retry_if_exception_type, retry_if_result, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from crm.lib.addresses import Address, AllowList, is_public

REPEATABLE = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
# What goes along when a redirect leads to another origin; keys and signatures do not.
HARMLESS_HEADERS = {"accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"}
ADDRESSES_TRIED = 4


class OutboundError(Exception):
    """A call came to nothing; says why, in words for a log or a delivery's record."""


class Refused(OutboundError):  # noqa: N818 -- says what is the matter
    """The address may not be called: not public, not http(s), or with a password. Another try changes nothing."""


class Unreachable(OutboundError):  # noqa: N818 -- says what is the matter
    """The other server could not be reached, or broke the connection. Another try may help."""


class TimedOut(Unreachable):
    """The answer was not complete within the deadline."""


class BadAnswer(OutboundError):  # noqa: N818 -- says what is the matter
    """The answer is too long, encoded though nobody asked for that, or leads in circles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much. `timeout` is for one attempt with its redirects, in seconds, names looked up included.

    `attempts` counts tries after network errors and answers of 5xx; None means 3 for methods that may be repeated,
    else 1. `redirects` is how many are followed, each to a checked address.
    """

    timeout: float = 10.0
    max_bytes: int = 1024 * 1024
    redirects: int = 0
    attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Statuses of 4xx and 5xx are answers, too."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return orjson.loads(self.body)


Resolver = Callable[[str, int], list[str]]


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True)
class Client:
    """Sends requests. The fields are for tests: a resolver and certificates of their own, no pauses."""

    resolve: Resolver = look_up
    tls: Callable[[], ssl.SSLContext] = _trusted
    sleep: Callable[[float], None] = field(default=time.sleep)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        limits: Limits | None = None,
    ) -> Answer:
        """Sends a request and reads the whole answer. Raises a subclass of OutboundError."""
        limits = limits or Limits()
        given = {"User-Agent": f"Keel (+{settings.BASE_URL})", "Accept-Encoding": "identity", **(headers or {})}
        if json is not None:
            content = orjson.dumps(json)
            given.setdefault("Content-Type", "application/json")
        request = _Request(method.upper(), url, given, content)
        attempts = limits.attempts or (3 if request.method in REPEATABLE else 1)
        retrying = Retrying(
            stop=stop_after_attempt(attempts),
            wait=wait_exponential_jitter(multiplier=0.5, max=8, jitter=0.4),
            retry=retry_if_exception_type(Unreachable) | retry_if_result(lambda answer: answer.status >= 500),
            sleep=self.sleep,
        )
        try:
            return retrying(self._attempt, request, limits)
        except RetryError as error:
            return error.last_attempt.result()  # the last 5xx, or the last error is raised

    def _attempt(self, request: _Request, limits: Limits) -> Answer:
        deadline = time.monotonic() + limits.timeout
        backend = _Guard(self.resolve, AllowList(settings.OUTBOUND_ALLOW), deadline)
        try:
            with httpx.Client(
                transport=_Pinned(backend, self.tls()), trust_env=False, timeout=limits.timeout, headers={}
            ) as client:
                return _follow(client, request, limits)
        except httpx.TimeoutException as error:
            raise TimedOut(f"{request.url}: no complete answer within {limits.timeout:g} s.") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Refused(f"{request.url}: {error}") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"{request.url}: {error or type(error).__name__}") from error


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None


def _follow(client: httpx.Client, request: _Request, limits: Limits) -> Answer:
    following = client.build_request(request.method, request.url, headers=request.headers, content=request.content)
    for _ in range(limits.redirects + 1):
        _check_url(following.url)
        response = client.send(following, stream=True)
        try:
            onward = response.next_request
            if onward is None or limits.redirects == 0:
                return Answer(response.status_code, response.headers, _read(response, limits), str(response.url))
        finally:
            response.close()
        _leave_secrets(onward, following.url)
        following = onward
    raise BadAnswer(f"{request.url}: more than {limits.redirects} redirects.")


def _check_url(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise Refused(f"{url}: only http:// and https:// addresses are called.")
    if url.userinfo:
        raise Refused(f"{url.copy_with(userinfo=b'')}: the address must not hold a user name or password.")


def _leave_secrets(onward: httpx.Request, former: httpx.URL) -> None:
    """What was meant for one server is not told to another, nor without TLS."""
    if (onward.url.scheme, onward.url.netloc) == (former.scheme, former.netloc):
        return
    if former.scheme == "https" and onward.url.scheme == "http":
        raise Refused(f"{former}: leads from https to http.")
    for name in [name for name in onward.headers if name.lower() not in HARMLESS_HEADERS]:
        del onward.headers[name]


def _read(response: httpx.Response, limits: Limits) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("", "identity"):
        # Not asked for; unpacking it could fill the memory from a few bytes.
        raise BadAnswer(f"{response.url}: the answer is encoded as {encoding}.")
    body = bytearray()
    for chunk in response.iter_raw(65536):
        body += chunk
        if len(body) > limits.max_bytes:
            raise BadAnswer(f"{response.url}: the answer is longer than {limits.max_bytes} bytes.")
    return bytes(body)


class _Pinned(httpx.HTTPTransport):
    """httpx's transport over our way to connect: the name stays in Host, SNI and the certificate's check."""

    def __init__(self, backend: httpcore.NetworkBackend, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        # httpx has no public place for a backend; a test fails should this one go.
        self._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=backend, max_keepalive_connections=0)


class _Guard(httpcore.NetworkBackend):
    """Looks a name up once, refuses addresses that are not public, and connects to the one that was checked."""

    def __init__(self, resolve: Resolver, allow: AllowList, deadline: float) -> None:
        self._resolve, self._allow, self._deadline = resolve, allow, deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to one of the name's addresses. Raises Refused when none may be called."""
        failure: Exception | None = None
        for address in self._checked(host, port)[:ADDRESSES_TRIED]:
            try:
                stream = self._plain.connect_tcp(str(address), port, _left(self._deadline, timeout), local_address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Bounded(stream, self._deadline)
        raise failure or httpcore.ConnectError(f"{host} has no address.")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Nobody outside names a socket of this machine."""
        raise Refused(f"{path}: sockets are not called.")

    def _checked(self, host: str, port: int) -> list[Address]:
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in self._look_up(host, port)]
        if self._allow.admits_host(host, port):
            return found
        open_ones = [address for address in found if is_public(address) or self._allow.admits_address(address)]
        if found and not open_ones:
            raise Refused(f"{host}: leads to {found[0]}, which is not a public address.")
        return open_ones

    def _look_up(self, host: str, port: int) -> list[str]:
        """The resolver's answer, or a timeout: it has none of its own that we could set."""
        answer: list[list[str] | OSError | UnicodeError] = []

        def ask() -> None:
            try:
                answer.append(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answer.append(error)

        thread = threading.Thread(target=ask, name="look-up", daemon=True)
        thread.start()
        thread.join(_left(self._deadline, None))
        if not answer:
            raise httpcore.ConnectTimeout(f"{host} was not looked up in time.")
        if isinstance(answer[0], list):
            return answer[0]
        raise httpcore.ConnectError(f"{host} was not found: {answer[0]}")


class _Bounded(httpcore.NetworkStream):
    """A connection whose every read and write ends at the deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Reads what is there."""
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes all of it."""
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Goes on under TLS."""
        tls = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _Bounded(tls, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("The deadline has passed.")
    return left if timeout is None else min(left, timeout)


_client = Client()
send = _client.send
