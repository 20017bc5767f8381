"""Polling: the same events to the same people, for browsers that can't reach the stream."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.enums import Role
from crm.live import buffer
from crm.live.audience import EVERYBODY, Audience
from crm.live.topics import member_topic
from crm.models import Membership, Session
from tests.factories import Org, make_org
from tests.live.conftest import sign_in, tell

pytestmark = pytest.mark.django_db(transaction=True)
BOARD = f"pipeline:{uuid4()}"


@pytest.fixture
def org(valkey: redis.Redis) -> Org:
    return make_org()


@pytest.fixture
def rep(org: Org) -> Membership:
    return org.member(Role.REP)


class Page:
    """A page that polls."""

    def __init__(self, org: Org, member: Membership) -> None:
        self.org, self.client, self.after = org, Client(), f"{int(time.time() * 1000)}-0"
        self.client.cookies["keel_session"] = sign_in(member)

    def poll(self, topics: str = f"{BOARD},me") -> dict[str, Any]:
        query = {"topics": topics, "after": self.after}
        response = self.client.get(f"/w/{self.org.slug}/live/poll/", query, headers={"accept": "application/json"})
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        answer: dict[str, Any] = response.json()
        self.after = answer["id"]
        return answer

    def numbers(self) -> list[int]:
        answer = self.poll()
        assert answer["reset"] is False
        return [event["data"]["number"] for event in answer["events"]]


def test_page_gets_each_event_of_its_topics_once(org: Org, rep: Membership) -> None:
    tell(org, BOARD, EVERYBODY, number=0)
    page = Page(org, rep)
    deal = uuid4()
    entry_id = tell(org, BOARD, EVERYBODY, deal, number=1)
    tell(org, f"pipeline:{uuid4()}", EVERYBODY, number=2)
    answer = page.poll()
    assert answer == {
        "id": answer["id"], "reset": False, "stream": False, "wait": 5,
        "events": [{"id": entry_id, "name": "test.told", "topic": BOARD, "record": str(deal), "data": {"number": 1}}],
    }  # fmt: skip
    assert page.numbers() == []
    tell(org, BOARD, EVERYBODY, number=3)
    assert page.numbers() == [3]


def test_page_gets_what_its_reader_sees(org: Org, rep: Membership) -> None:
    colleague, admin = org.member(Role.REP), org.member(Role.ADMIN)
    pages = [Page(org, member) for member in (rep, colleague, admin)]
    tell(org, BOARD, EVERYBODY, number=0)
    for page in pages:
        page.poll()
    tell(org, BOARD, Audience(owners=frozenset({rep.id})), number=1)
    tell(org, BOARD, Audience(owners=frozenset({colleague.id}), members=frozenset({rep.id})), number=2)
    tell(org, member_topic(rep.id), Audience.only(rep.id), number=3)
    assert [page.numbers() for page in pages] == [[1, 2, 3], [2], [1, 2]]


def test_page_whose_place_is_gone_loads_again_and_goes_on(org: Org, rep: Membership, valkey: redis.Redis) -> None:
    page = Page(org, rep)
    page.after = "12-0"
    answer = page.poll()
    assert (answer["reset"], answer["events"]) == (True, [])
    tell(org, BOARD, EVERYBODY, number=1)
    assert page.numbers() == [1]
    time.sleep(0.01)  # ids are milliseconds
    valkey.flushdb()
    tell(org, BOARD, EVERYBODY, number=2)
    assert page.poll()["reset"] is True


def test_page_learns_whether_a_live_process_runs(org: Org, rep: Membership, valkey: redis.Redis) -> None:
    page = Page(org, rep)
    assert page.poll()["stream"] is False
    valkey.set(buffer.ALIVE_KEY, b"1")
    assert page.poll()["stream"] is True


def test_page_loads_again_now_and_then_while_valkey_is_away(
    org: Org, rep: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = redis.Redis(unix_socket_path="/nonexistent/valkey.sock", retry=None)
    monkeypatch.setattr(buffer, "client", lambda: away)
    page = Page(org, rep)
    before = page.after
    answer = page.poll()
    assert answer == {"id": before, "events": [], "reset": True, "stream": False, "wait": 20}


def test_revoked_session_learns_nothing(org: Org, rep: Membership) -> None:
    page = Page(org, rep)
    tell(org, BOARD, EVERYBODY, number=1)
    Session.objects.all().delete()
    response = page.client.get(f"/w/{org.slug}/live/poll/", {"topics": BOARD, "after": page.after})
    assert (response.status_code, b"number" in response.content) == (302, False)


def test_stranger_learns_nothing(org: Org) -> None:
    other = make_org()
    page = Page(org, other.member(Role.ADMIN))
    tell(org, BOARD, EVERYBODY, number=1)
    response = page.client.get(f"/w/{org.slug}/live/poll/", {"topics": BOARD, "after": page.after})
    assert (response.status_code, b"number" in response.content) == (404, False)


def test_poll_costs_one_statement(org: Org, rep: Membership) -> None:
    """The session with its user and the membership."""
    page = Page(org, rep)
    page.poll()
    with CaptureQueriesContext(connection) as captured:
        page.poll()
    assert [q["sql"].split()[0] for q in captured if q["sql"] != "COMMIT"] == ["WITH"]
