"""Calls to other servers: what is refused, what is capped, what is tried again."""

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crm.lib import http
from crm.lib.addresses import AllowList, is_public
from crm.lib.http import BadAnswer, Client, Limits, Refused, TimedOut, Unreachable

PUBLIC = "93.184.215.14"


class Handler(BaseHTTPRequestHandler):
    """Answers as its path says."""

    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers.items()), body))
        getattr(self, url.path.strip("/").replace("/", "_") or "ok")(
            {name: values[0] for name, values in parse_qs(url.query).items()}
        )

    do_POST = do_GET  # noqa: N815 -- named by http.server

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def ok(self, _query: dict[str, str]) -> None:
        self.answer(200, b'{"fine": true}')

    def status(self, query: dict[str, str]) -> None:
        """The first `times` answers have the status, later ones 200."""
        failing = len(self.server.seen) <= int(query.get("times", 1000))
        self.answer(int(query["code"]) if failing else 200, b"said")

    def size(self, query: dict[str, str]) -> None:
        self.answer(200, b"x" * int(query["bytes"]))

    def endless(self, _query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            self.close_connection = True

    def packed(self, _query: dict[str, str]) -> None:
        self.answer(200, gzip.compress(b"0" * 10_000_000), Content_Encoding="gzip")

    def slow(self, query: dict[str, str]) -> None:
        self.server.leave.wait(float(query["seconds"]))
        self.answer(200, b"late")

    def drip(self, query: dict[str, str]) -> None:
        """One byte of the answer's `part` at a time, faster than any timeout between two reads."""
        self.close_connection = True
        text = b"HTTP/1.1 200 OK\r\nX-A: " if query["part"] == "head" else b"HTTP/1.1 200 OK\r\n\r\n"
        self.wfile.write(text)
        try:
            while not self.server.leave.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            return

    def redirect(self, query: dict[str, str]) -> None:
        self.answer(int(query.get("code", 302)), Location=query["to"])

    def circle(self, _query: dict[str, str]) -> None:
        self.answer(302, Location="/circle")

    def cut(self, _query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.leave = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.leave.set()
        running.shutdown()
        thread.join(10)


@dataclass
class Pauses:
    """Stands for time.sleep between two attempts."""

    taken: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def client() -> Client:
    return Client(sleep=Pauses())


@pytest.fixture
def allowed(settings: Any, server: Server) -> None:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.server_port}"]


@pytest.mark.usefixtures("allowed")
def test_request_and_answer_travel_whole(client: Client, server: Server) -> None:
    answer = client.send("post", f"{server.url}/ok?a=1", json={"name": "Ada"}, headers={"X-Key": "k"})
    assert (answer.status, answer.ok, answer.json(), answer.url) == (200, True, {"fine": True}, f"{server.url}/ok?a=1")
    [(method, path, headers, body)] = server.seen
    assert (method, path, body) == ("POST", "/ok?a=1", b'{"name":"Ada"}')
    assert headers["X-Key"] == "k"
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert headers["User-Agent"].startswith("Keel (+http")
    assert "Cookie" not in headers


def test_private_address_is_refused_without_a_connection(client: Client, server: Server) -> None:
    for url in (server.url, f"http://localhost:{server.server_port}/", f"http://0x7f.1:{server.server_port}/"):
        with pytest.raises(Refused, match="not a public address"):
            client.send("GET", url)
    assert server.seen == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.0.2.1",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1",
        "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "::127.0.0.1", "100::1",
    ],
)  # fmt: skip
def test_address_that_is_not_public_is_none(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "172.32.0.1", "2606:2800:220:1::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_address_is_one(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_allow_list_names_hosts_ports_and_networks() -> None:
    allow = AllowList(["hooks.internal", "127.0.0.1:8025", "[::1]:99", "10.1.0.0/16", " "])
    assert allow.admits_host("Hooks.Internal", 443)
    assert allow.admits_host("127.0.0.1", 8025)
    assert allow.admits_host("::1", 99)
    assert not allow.admits_host("127.0.0.1", 8026)
    assert not allow.admits_host("other.internal", 443)
    assert allow.admits_address(ipaddress.ip_address("10.1.200.3"))
    assert not allow.admits_address(ipaddress.ip_address("10.2.0.1"))
    assert not allow.admits_address(ipaddress.ip_address("::ffff:10.1.0.1"))


def test_allowed_network_is_reached(settings: Any, client: Client, server: Server) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    assert client.send("GET", f"{server.url}/ok").ok


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "//example.org/",
        "http://",
        "https://user:pw@example.org/",
        "nonsense",
    ],
)
def test_address_of_another_kind_is_refused(client: Client, url: str) -> None:
    with pytest.raises(Refused) as caught:
        client.send("GET", url)
    assert "pw" not in str(caught.value)


def test_connection_goes_to_the_address_that_was_checked(client: Client, server: Server) -> None:
    """A name that answers publicly first and privately then (DNS rebinding) gains nothing: it is asked once."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    asked: list[str] = []
    connected: list[tuple[Any, ...]] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    class Refusing(socket.socket):
        def connect(self, address: Any) -> None:
            connected.append(address)
            raise ConnectionRefusedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Refusing)
        with pytest.raises(Unreachable):
            Client(resolve=resolve, sleep=Pauses()).send(
                "GET", f"http://rebind.example:{server.server_port}/ok", limits=Limits(attempts=1)
            )
    assert asked == ["rebind.example"]
    assert connected == [(PUBLIC, server.server_port)]


def test_rebinding_between_two_attempts_is_refused(server: Server) -> None:
    answers = iter([OSError("not now"), ["127.0.0.1"]])

    def resolve(_host: str, _port: int) -> list[str]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with pytest.raises(Refused):
        Client(resolve=resolve, sleep=Pauses()).send("GET", f"http://rebind.example:{server.server_port}/ok")
    assert server.seen == []


def test_only_the_public_addresses_of_a_name_are_tried(server: Server) -> None:
    client = Client(resolve=lambda _host, _port: ["127.0.0.1", "::1", "10.0.0.1"], sleep=Pauses())
    with pytest.raises(Refused):
        client.send("GET", f"http://mixed.example:{server.server_port}/ok")
    assert server.seen == []


@pytest.mark.usefixtures("allowed")
def test_redirect_is_an_answer_unless_asked_for(client: Client, server: Server) -> None:
    answer = client.send("GET", f"{server.url}/redirect?to=/ok")
    assert (answer.status, len(server.seen)) == (302, 1)
    followed = client.send("GET", f"{server.url}/redirect?to=/ok", limits=Limits(redirects=1))
    assert (followed.status, followed.url) == (200, f"{server.url}/ok")


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/", "http://10.0.0.1/", "http://[::1]/", "file:///etc"]
)
def test_redirect_to_a_private_address_is_refused(client: Client, server: Server, target: str) -> None:
    with pytest.raises(Refused):
        client.send("GET", f"{server.url}/redirect?to={target}", limits=Limits(redirects=3))
    assert len(server.seen) == 1


@pytest.mark.usefixtures("allowed")
def test_redirects_in_circles_end(client: Client, server: Server) -> None:
    with pytest.raises(BadAnswer, match="more than 3 redirects"):
        client.send("GET", f"{server.url}/circle", limits=Limits(redirects=3))
    assert len(server.seen) == 4
    twice = "/redirect?to=%2Fredirect%3Fto%3D%252Fok"
    assert client.send("GET", f"{server.url}{twice}", limits=Limits(redirects=2)).ok


def test_redirect_to_another_origin_leaves_secrets_behind(settings: Any, client: Client, server: Server) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    other = f"http://localhost:{server.server_port}/ok"
    secrets = {"Authorization": "Bearer x", "X-Api-Key": "x", "Cookie": "a=b", "Accept": "text/plain"}
    limits = Limits(redirects=1)
    client.send("POST", f"{server.url}/redirect?code=307&to={other}", headers=secrets, content=b"hi", limits=limits)
    *_, (method, _path, headers, body) = server.seen
    assert (method, body, headers["Accept"]) == ("POST", b"hi", "text/plain")
    assert set(headers) & {"Authorization", "X-Api-Key", "Cookie"} == set()
    client.send("GET", f"{server.url}/redirect?to=/ok", headers=secrets, limits=limits)
    assert server.seen[-1][2]["X-Api-Key"] == "x"


@pytest.mark.usefixtures("allowed")
def test_answer_is_read_up_to_the_cap(client: Client, server: Server) -> None:
    limits = Limits(max_bytes=1000)
    assert len(client.send("GET", f"{server.url}/size?bytes=1000", limits=limits).body) == 1000
    with pytest.raises(BadAnswer, match="longer than 1000 bytes"):
        client.send("GET", f"{server.url}/size?bytes=1001", limits=limits)
    started = time.monotonic()
    with pytest.raises(BadAnswer, match="longer than 1000 bytes"):
        client.send("GET", f"{server.url}/endless", limits=limits)
    assert time.monotonic() - started < 2


@pytest.mark.usefixtures("allowed")
def test_encoded_answer_is_not_unpacked(client: Client, server: Server) -> None:
    with pytest.raises(BadAnswer, match="encoded as gzip"):
        client.send("GET", f"{server.url}/packed")
    assert server.seen[0][2]["Accept-Encoding"] == "identity"


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("path", ["/slow?seconds=5", "/drip?part=head", "/drip?part=body"])
def test_deadline_holds_however_the_answer_comes(client: Client, server: Server, path: str) -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut):
        client.send("GET", f"{server.url}{path}", limits=Limits(timeout=0.4, attempts=1))
    assert 0.3 < time.monotonic() - started < 1.5


def test_deadline_holds_while_a_name_is_looked_up() -> None:
    leave = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        leave.wait(20)
        return [PUBLIC]

    started = time.monotonic()
    with pytest.raises(TimedOut):
        Client(resolve=resolve).send("GET", "http://slow.example/", limits=Limits(timeout=0.3, attempts=1))
    assert time.monotonic() - started < 1.5
    leave.set()


@pytest.mark.usefixtures("allowed")
def test_failing_server_is_asked_again_with_growing_pauses(client: Client, server: Server) -> None:
    answer = client.send("GET", f"{server.url}/status?code=503&times=2")
    assert (answer.status, len(server.seen)) == (200, 3)
    first, second = client.sleep.taken  # type: ignore[attr-defined]
    assert 0.5 <= first <= 0.9
    assert 1.0 <= second <= 1.4


@pytest.mark.usefixtures("allowed")
def test_last_failure_is_the_answer(client: Client, server: Server) -> None:
    answer = client.send("GET", f"{server.url}/status?code=500", limits=Limits(attempts=4))
    assert (answer.status, answer.body, len(server.seen)) == (500, b"said", 4)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("code", [400, 401, 404, 410, 429])
def test_refusal_by_the_server_is_never_repeated(client: Client, server: Server, code: int) -> None:
    answer = client.send("GET", f"{server.url}/status?code={code}", limits=Limits(attempts=5))
    assert (answer.status, answer.ok, len(server.seen)) == (code, False, 1)


@pytest.mark.usefixtures("allowed")
def test_post_is_repeated_only_when_asked_for(client: Client, server: Server) -> None:
    assert client.send("POST", f"{server.url}/status?code=500&times=1").status == 500
    server.seen.clear()
    assert client.send("POST", f"{server.url}/status?code=500&times=1", limits=Limits(attempts=2)).status == 200


@pytest.mark.usefixtures("allowed")
def test_broken_connection_is_tried_again_and_then_told(client: Client, server: Server) -> None:
    with pytest.raises(Unreachable):
        client.send("GET", f"{server.url}/cut")
    assert len(server.seen) == 3


def test_name_that_does_not_exist_is_unreachable() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unreachable, match="Name or service not known"):
        Client(resolve=resolve, sleep=Pauses()).send("GET", "http://absent.example/")


@lru_cache(maxsize=1)
def certificate(name: str) -> tuple[bytes, bytes]:
    """A key and a self-signed certificate for a name, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return private, made.public_bytes(serialization.Encoding.PEM)


def test_tls_names_and_checks_the_host_though_the_address_is_pinned(
    settings: Any, server: Server, tmp_path: Path
) -> None:
    private, public = certificate("hooks.example")
    (tmp_path / "server.pem").write_bytes(private + public)
    names: list[str | None] = []
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "server.pem")
    serving.sni_callback = lambda _socket, name, _context: names.append(name)
    server.socket = serving.wrap_socket(server.socket, server_side=True)
    trusting = ssl.create_default_context(cadata=public.decode())
    client = Client(resolve=lambda _host, _port: ["127.0.0.1"], tls=lambda: trusting, sleep=Pauses())
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    port = server.server_port
    assert client.send("GET", f"https://hooks.example:{port}/ok").ok
    assert names == ["hooks.example"]
    assert server.seen[0][2]["Host"] == f"hooks.example:{port}"
    with pytest.raises(Unreachable, match="Hostname mismatch"):
        client.send("GET", f"https://other.example:{port}/ok", limits=Limits(attempts=1))


def test_the_projects_client_checks_addresses() -> None:
    with pytest.raises(Refused):
        http.send("GET", "http://127.0.0.1:1/")
