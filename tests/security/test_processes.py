"""The processes of `make up`: whom each is to the database, and that what is taken away is gone in all of them."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
import pytest

from crm.actions.invitations import invite_members
from crm.actions.members import change_role, deactivate_member, reactivate_member
from crm.actions.notifications import notify
from crm.actions.profile import end_sessions
from crm.launch import environment
from crm.launch.checkout import Checkout
from crm.launch.processes import spawn, stop
from crm.launch.testcluster import ClusterInfo
from crm.launch.up import application_parts
from crm.models import Membership
from tests.factories import Org, make_org
from tests.support.servers import RunningKeel, server_environment
from tests.support.web import session_for

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = ("web", "live", "worker", "beat", "relay")
AT_ONCE = 1.0  # seconds within which what was taken away is gone
PATIENCE = 30.0  # seconds for what has no such promise


@pytest.fixture
def org() -> Org:
    """An organisation with an admin who stays."""
    found = make_org("Northwind")
    found.member("admin", name="Ada Admin")
    return found


def status(keel: RunningKeel, path: str, session: str) -> int:
    """What the web processes answer to a browser with this session."""
    url = urlsplit(keel.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Cookie": f"keel_session={session}"})
        return connection.getresponse().status


def eventually(asked: Callable[[], Any], wanted: Any, within: float) -> None:
    """Asks until the answer is as wanted, and fails when that takes too long."""
    deadline = time.monotonic() + within
    while (answer := asked()) != wanted:
        assert time.monotonic() < deadline, f"{answer!r} after {within} s, not {wanted!r}"
        time.sleep(0.02)


# ---------------------------------------------------------------- whom they are to the database


@pytest.fixture
def beat(running_keel: RunningKeel, cluster: ClusterInfo, worker_clone: str) -> Iterator[None]:
    """The clock, which browser tests do without, beside the others."""
    url, live = urlsplit(running_keel.url), urlsplit(running_keel.live_url)
    env = server_environment(cluster, worker_clone, running_keel.var, url.port or 0, live.port or 0)
    parts = application_parts(Checkout.here(), env, host="127.0.0.1", port=url.port or 0, live_port=live.port or 0)
    (part,) = [part for part in parts if part.name == "beat"]
    with (running_keel.logs / "beat.log").open("wb") as output:
        process = spawn(part.command, env=part.env, cwd=part.cwd, output=output)
    try:
        yield
        assert process.poll() is None, running_keel.log("beat")
    finally:
        process.terminate()
        stop(process)


def test_every_process_is_the_applications_role(running_keel, beat, cluster, worker_clone, org):
    """Each in its own name, which only the launcher gives; beat has nothing to ask."""
    rep = org.member("rep")
    assert status(running_keel, f"/w/{org.slug}/contacts/", session_for(rep.user)) == 200
    with Stream(running_keel, org, session_for(rep.user)) as stream:
        stream.until("event: ")
        with org.acting(_admin(org)) as admin:  # its mail is the worker's to send, and the relay's to hand over
            invite_members(["guest@fjord.example"], "rep", acting=admin)
        with psycopg.connect(cluster.superuser_url(worker_clone), autocommit=True) as superuser:

            def roles() -> dict[str, set[str]]:
                found: dict[str, set[str]] = {}
                for part, role in superuser.execute(
                    "SELECT application_name, usename::text FROM pg_stat_activity WHERE datname = %s"
                    " AND application_name = ANY (%s)",
                    [worker_clone, list(PARTS)],
                ).fetchall():
                    found.setdefault(part, set()).add(role)
                return found

            eventually(roles, {part: {"keel_app"} for part in PARTS if part != "beat"}, PATIENCE)


def test_no_process_is_told_how_to_be_more(cluster, worker_clone, tmp_path):
    """Neither the owner's nor the superuser's way in reaches a process that serves."""
    told = {
        **server_environment(cluster, worker_clone, tmp_path, 1, 2),
        **dict.fromkeys((*environment.OWNER_ONLY, *environment.LAUNCHER_ONLY), "secret"),
    }
    parts = application_parts(Checkout.here(), told, host="127.0.0.1", port=1, live_port=2)
    assert [part.name for part in parts] == list(PARTS)
    for part in parts:
        assert re.match(r"\w+://keel_app\b", part.env["DATABASE_URL"]), part.name
        assert [name for name, value in part.env.items() if value == "secret" or "keel_owner" in value] == [], part.name


def _admin(org: Org) -> Membership:
    with org.system():
        found: Membership = Membership.objects.select_related("user").get(role="admin", user__name="Ada Admin")
    return found


# ---------------------------------------------------------------- what is taken away is gone


def test_revoked_session_is_over_in_web_at_once(running_keel, org):
    rep = org.member("rep")
    session, page = session_for(rep.user), f"/w/{org.slug}/settings/profile/"
    assert status(running_keel, page, session) == 200
    end_sessions(rep.user)
    eventually(lambda: status(running_keel, page, session), 302, AT_ONCE)
    assert [status(running_keel, page, session) for _each_worker in range(6)] == [302] * 6


def test_deactivated_member_is_out_of_web_at_once(running_keel, org):
    rep = org.member("rep")
    session, page = session_for(rep.user), f"/w/{org.slug}/contacts/"
    assert status(running_keel, page, session) == 200
    with org.acting(_admin(org)) as admin:
        deactivate_member(rep.pk, acting=admin)
    eventually(lambda: status(running_keel, page, session), 404, AT_ONCE)
    assert [status(running_keel, page, session) for _each_worker in range(6)] == [404] * 6
    with org.acting(_admin(org)) as admin:
        reactivate_member(rep.pk, acting=admin)
    eventually(lambda: status(running_keel, page, session), 200, AT_ONCE)


def test_changed_role_holds_in_web_at_once(running_keel, org):
    member = org.member("admin")
    session, page = session_for(member.user), f"/w/{org.slug}/settings/general/"
    assert status(running_keel, page, session) == 200
    for role, expected in (("rep", 403), ("admin", 200), ("readonly", 403)):
        with org.acting(_admin(org)) as admin:
            change_role(member.pk, role, acting=admin)
        eventually(lambda expected=expected: status(running_keel, page, session), expected, AT_ONCE)


class Stream:
    """A browser's live stream."""

    def __init__(self, keel: RunningKeel, org: Org, session: str) -> None:
        url = urlsplit(keel.live_url)
        self.text = ""
        self.socket = socket.create_connection((url.hostname or "", url.port or 0), timeout=PATIENCE)
        lines = [
            f"GET /live/{org.slug}/?topics=me HTTP/1.1", f"Host: {url.netloc}", f"Origin: {keel.url}",
            f"Cookie: keel_session={session}", "", "",
        ]  # fmt: skip
        self.socket.sendall("\r\n".join(lines).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def until(self, text: str) -> None:
        """Reads until something has come."""
        while text not in self.text:
            data = self.socket.recv(65536)
            assert data, f"the stream ended without {text!r}: {self.text}"
            self.text += data.decode()


def _end_sessions(org: Org, rep: Membership) -> None:
    end_sessions(rep.user)


def _deactivate(org: Org, rep: Membership) -> None:
    with org.acting(_admin(org)) as admin:
        deactivate_member(rep.pk, acting=admin)


@pytest.mark.parametrize("taken_away", [_end_sessions, _deactivate])
def test_live_stream_ends_before_it_tells_anything_more(running_keel, org, taken_away):
    """Whatever happens a second after the session or the membership ended is not told any more."""

    rep = org.member("rep")
    with Stream(running_keel, org, session_for(rep.user)) as stream:
        stream.until("event: ")
        with org.system():
            notify(rep.pk, "member.joined", name="Nia New")
        stream.until("event: change")
        taken_away(org, rep)
        time.sleep(AT_ONCE)
        told = stream.text.count("event: change")
        with org.system():
            notify(rep.pk, "member.joined", name="Otto Other")
        stream.until("event: signed-out")
        assert stream.text.count("event: change") == told
