"""Live events in a real browser: the stream, what replaces it, and what a page gets that was away."""

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page
from redis import Redis

from crm.actions.notifications import notify
from crm.enums import Role
from crm.events.relay import deliver_due
from crm.live.audience import EVERYBODY
from crm.live.buffer import epoch_key, stream_key
from crm.models import Membership, Session
from tests.factories import Org, make_org
from tests.live.conftest import sign_in, tell
from tests.support.browser import Console
from tests.support.servers import RunningKeel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
BOARD = f"pipeline:{uuid4()}"
LISTEN = """
window.heard = []; window.refetched = 0; window.batches = 0; window.inbox = 0;
document.addEventListener("keel:events", (e) => { window.batches++; window.heard.push(...e.detail.events); });
document.addEventListener("keel:member.inbox_changed", () => window.inbox++);
document.addEventListener("keel:refetch", () => window.refetched++);
"""


class Board:
    """A page of a signed-in rep that listens to one pipeline."""

    def __init__(self, keel: RunningKeel, org: Org, rep: Membership, page: Page) -> None:
        self.keel, self.org, self.rep, self.page = keel, org, rep, page
        self.key = sign_in(rep)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": self.key, "url": keel.url}
        page.context.add_cookies([cookie])  # type: ignore[list-item]
        page.add_init_script(LISTEN)

    def open(self) -> None:
        self.page.goto(f"{self.keel.url}/w/{self.org.slug}/settings/profile/")
        self.listen(BOARD)

    def listen(self, topic: str) -> None:
        self.page.evaluate("topic => { document.body.dataset.liveTopics = `me,${topic}` }", topic)

    def tell(self, number: int, topic: str = BOARD) -> None:
        tell(self.org, topic, EVERYBODY, number=number)

    def value(self, expression: str) -> object:
        return self.page.evaluate(expression)

    def numbers(self) -> object:
        return self.value("window.heard.map((e) => e.data.number)")

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> float:
        started = time.monotonic()
        while not condition():
            assert time.monotonic() - started < seconds, f"not in {seconds} s; heard {self.numbers()}"
            self.page.wait_for_timeout(20)
        return time.monotonic() - started


@pytest.fixture
def board(running_keel: RunningKeel, page: Page) -> Iterator[Board]:
    org = make_org()
    yield Board(running_keel, org, org.member(Role.REP), page)
    page.close()


def test_page_hears_an_event_within_a_second(board: Board, console: Console) -> None:
    board.open()
    board.page.wait_for_timeout(500)
    board.tell(1)
    assert board.until(lambda: board.numbers() == [1]) < 1
    event = board.value("window.heard[0]")
    assert isinstance(event, dict)
    assert {name: event[name] for name in ("name", "topic", "record", "data")} == {
        "name": "test.told", "topic": BOARD, "record": None, "data": {"number": 1},
    }  # fmt: skip
    assert console.lines == []


def test_events_that_come_together_are_told_together(board: Board, console: Console) -> None:
    board.open()
    board.page.wait_for_timeout(500)
    for number in range(20):
        board.tell(number)
    board.until(lambda: board.numbers() == list(range(20)))
    assert board.value("window.batches") in (1, 2)
    assert console.lines == []


def test_page_hears_what_happened_while_it_was_loading(board: Board, console: Console) -> None:
    board.tell(0)  # the buffer begins
    board.page.wait_for_timeout(100)
    board.tell(1)
    board.open()  # it was rendered with what was true less than five seconds ago
    board.until(lambda: board.numbers() == [0, 1] or board.value("window.refetched") == 1)
    assert console.lines == []


def test_notification_reaches_its_members_page(board: Board, console: Console) -> None:
    board.open()
    board.page.wait_for_timeout(500)
    with board.org.system():
        notify(board.rep.id, "member.role_changed", role="rep", by="Ada")
    deliver_due()
    assert board.until(lambda: board.value("window.inbox") == 1) < 2
    assert console.lines == []


def test_changed_topics_are_heard_at_once(board: Board, console: Console) -> None:
    board.open()
    other = f"pipeline:{uuid4()}"
    board.listen(other)
    board.page.wait_for_timeout(500)
    board.tell(1)
    board.tell(2, other)
    board.until(lambda: board.numbers() == [2])
    assert console.lines == []


def test_polling_replaces_a_stream_whose_port_is_closed(board: Board, browser_context: BrowserContext) -> None:
    tried = []
    browser_context.route(
        f"{board.keel.live_url}/**", lambda route: (tried.append(1), route.abort("connectionrefused"))
    )
    board.tell(0)
    board.open()
    board.page.wait_for_timeout(3000)
    board.tell(1)
    board.until(lambda: 1 in (board.numbers() or ()), 15)  # type: ignore[operator]
    assert len(tried) <= 2  # the page connects, changes its topics, and then leaves the port alone


def test_page_that_was_offline_gets_what_it_missed(board: Board, browser_context: BrowserContext) -> None:
    board.open()
    board.page.wait_for_timeout(500)
    browser_context.set_offline(True)
    board.page.wait_for_timeout(200)
    board.tell(1)
    browser_context.set_offline(False)
    board.until(lambda: board.numbers() == [1])
    assert board.value("window.refetched") in (0, 1)


def test_page_whose_place_was_lost_loads_again(board: Board, browser_context: BrowserContext, valkey: Redis) -> None:
    board.open()
    board.page.wait_for_timeout(1500)
    before = board.value("window.refetched")
    browser_context.set_offline(True)
    valkey.delete(stream_key(board.org.id), epoch_key(board.org.id))
    board.page.wait_for_timeout(200)
    browser_context.set_offline(False)
    board.until(lambda: board.value("window.refetched") == before + 1)  # type: ignore[operator]


def test_page_of_a_revoked_session_hears_nothing_more(board: Board, console: Console) -> None:
    board.open()
    board.page.wait_for_timeout(500)
    Session.objects.filter(session_key=board.key).delete()
    board.page.wait_for_timeout(1100)
    board.tell(1)
    board.page.wait_for_timeout(3000)
    assert board.numbers() == []
    assert console.lines == []
