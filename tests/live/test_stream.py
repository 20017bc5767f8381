"""The stream: who may open it, what it carries, what a reader gets who was away."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from redis import Redis

from crm.enums import Role
from crm.live import hub
from crm.live.audience import EVERYBODY, Audience
from crm.live.buffer import DEPTH, epoch_key, just_before, position, stream_key
from crm.live.topics import member_topic
from crm.models import Membership, Session, Team, TeamMember
from tests.factories import Org, make_org
from tests.live.conftest import Browser, aside, sign_in, tell

pytestmark = pytest.mark.django_db(transaction=True)
BOARD = f"pipeline:{uuid4()}"


@pytest.fixture
def org() -> Org:
    return make_org()


@pytest.fixture
def rep(org: Org) -> Membership:
    return org.member(Role.REP)


@pytest.fixture
def key(rep: Membership) -> str:
    return sign_in(rep)


def owned_by(*members: Membership) -> Audience:
    return Audience(owners=frozenset(member.id for member in members))


async def test_stream_carries_what_is_published(browser_of: Browser, org: Org, key: str) -> None:
    reader = await browser_of.open(org, key, BOARD)
    deal = uuid4()
    entry_id = await aside(tell, org, BOARD, EVERYBODY, deal, number=1)
    await reader.until(1)
    change = reader.events[-1]
    assert (change.name, change.id) == ("change", entry_id)
    assert change.data == {
        "id": entry_id, "name": "test.told", "topic": BOARD, "record": str(deal), "data": {"number": 1},
    }  # fmt: skip
    assert reader.status == 200
    assert reader.headers == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "vary": "Origin",
        "access-control-allow-origin": settings.BASE_URL,
        "access-control-allow-credentials": "true",
    }


async def test_stream_carries_its_topics_only(browser_of: Browser, org: Org, key: str) -> None:
    reader = await browser_of.open(org, key, f"{BOARD},nonsense,deal:{uuid4()}")
    for number, topic in enumerate((f"pipeline:{uuid4()}", BOARD)):
        await aside(tell, org, topic, EVERYBODY, number=number)
    await reader.until(1)
    assert reader.changes == [1]


async def test_stream_carries_nothing_of_another_organisation(browser_of: Browser, org: Org, key: str) -> None:
    other = await aside(make_org)
    reader = await browser_of.open(org, key, BOARD)
    await aside(tell, other, BOARD, EVERYBODY, number=1)
    await aside(tell, org, BOARD, EVERYBODY, number=2)
    await reader.until(1)
    assert reader.changes == [2]


@pytest.mark.parametrize("session_key", ["", "nobodys"])
async def test_stream_without_a_session_is_ended(browser_of: Browser, org: Org, session_key: str) -> None:
    reader = await browser_of.open(org, session_key, BOARD)
    await reader.end()
    assert reader.names == ["signed-out"]


async def test_stream_of_a_foreign_organisation_is_ended_like_one_that_is_not_there(
    browser_of: Browser, org: Org, key: str
) -> None:
    other = await aside(make_org)
    foreign = await browser_of.open(other, key, BOARD)
    absent = await browser_of.open(org, key, BOARD, path="/live/nobody-is-called-this/")
    for reader in (foreign, absent):
        await reader.end()
        assert reader.names == ["signed-out"]
    assert foreign.headers == absent.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
    ],
)
async def test_stream_for_another_origin_is_refused(
    browser_of: Browser, org: Org, key: str, headers: dict[str, str]
) -> None:
    reader = await browser_of.open(org, key, BOARD, headers=headers)
    assert (reader.status, reader.events) == (403, [])
    assert "access-control-allow-origin" not in reader.headers


async def test_stream_on_the_pages_own_origin_needs_no_origin_header(browser_of: Browser, org: Org, key: str) -> None:
    reader = await browser_of.open(org, key, BOARD, headers={"origin": "", "sec-fetch-site": "same-origin"})
    assert (reader.status, reader.names) == (200, ["reset"])


async def test_other_methods_and_paths_are_refused(browser_of: Browser, org: Org, key: str) -> None:
    assert (await browser_of.open(org, key, method="POST")).status == 405
    assert (await browser_of.open(org, key, path="/")).status == 404


async def test_own_topic_reaches_its_member_alone(browser_of: Browser, org: Org, rep: Membership, key: str) -> None:
    def admin_key() -> str:
        return sign_in(org.member(Role.ADMIN))

    admin = await browser_of.open(org, await aside(admin_key), f"me,{member_topic(rep.id)}")
    reader = await browser_of.open(org, key, "me")
    await aside(tell, org, member_topic(rep.id), Audience.only(rep.id), number=1)
    await reader.until(1)
    await asyncio.sleep(0.1)
    assert (reader.changes, admin.changes) == ([1], [])


async def test_reader_learns_only_of_what_they_see(browser_of: Browser, org: Org, rep: Membership, key: str) -> None:
    def prepare() -> tuple[str, str, Membership, UUID]:
        manager, other = org.member(Role.MANAGER), org.member(Role.REP)
        team = org.team("North", rep, managers=(manager,))
        return sign_in(manager), sign_in(org.member(Role.READONLY)), other, team.id

    manager_key, readonly_key, other, team = await aside(prepare)
    readers = [await browser_of.open(org, k, BOARD) for k in (key, manager_key, readonly_key)]
    told = [
        owned_by(rep),  # 0: the rep's, in the manager's team
        owned_by(other),  # 1: somebody else's
        Audience(owners=frozenset({other.id}), members=frozenset({rep.id})),  # 2: shared with the rep
        Audience(owners=frozenset({other.id}), teams=frozenset({team})),  # 3: shared with the team
        owned_by(other, rep),  # 4: handed over from one to the other
        EVERYBODY,  # 5
    ]
    for number, audience in enumerate(told):
        await aside(tell, org, BOARD, audience, number=number)
    await readers[2].until(6)
    await readers[0].until(5)
    await readers[1].until(4)
    assert [reader.changes for reader in readers] == [[0, 2, 3, 4, 5], [0, 3, 4, 5], [0, 1, 2, 3, 4, 5]]


async def test_revoked_session_ends_the_stream_before_the_next_event(browser_of: Browser, org: Org, key: str) -> None:
    reader = await browser_of.open(org, key, BOARD)
    await aside(Session.objects.filter(session_key=key).delete)
    await asyncio.sleep(hub.FRESH)
    await aside(tell, org, BOARD, EVERYBODY, number=1)
    await reader.end()
    assert (reader.changes, reader.names[-1]) == ([], "signed-out")


async def test_deactivated_member_ends_the_stream_before_the_next_event(
    browser_of: Browser, org: Org, rep: Membership, key: str
) -> None:
    def deactivate() -> None:
        with org.system():
            Membership.objects.filter(id=rep.id).update(active=False)

    reader = await browser_of.open(org, key, BOARD)
    await aside(deactivate)
    await asyncio.sleep(hub.FRESH)
    await aside(tell, org, BOARD, EVERYBODY, number=1)
    await reader.end()
    assert (reader.changes, reader.names[-1]) == ([], "signed-out")


async def test_changed_role_and_team_hold_for_the_next_event(
    browser_of: Browser, org: Org, rep: Membership, key: str
) -> None:
    def promote() -> None:
        with org.system():
            TeamMember.objects.create(team=Team.objects.create(name="North"), member=rep)
            Membership.objects.filter(id=rep.id).update(role=Role.READONLY)

    def demote() -> None:
        with org.system():
            Membership.objects.filter(id=rep.id).update(role=Role.REP)

    other = owned_by()
    reader = await browser_of.open(org, key, BOARD)
    await aside(promote)
    await asyncio.sleep(hub.FRESH)
    await aside(tell, org, BOARD, other, number=1)
    await reader.until(1)
    await aside(demote)
    await asyncio.sleep(hub.FRESH)
    await aside(tell, org, BOARD, other, number=2)
    await aside(tell, org, BOARD, EVERYBODY, number=3)
    await reader.until(2)
    assert reader.changes == [1, 3]


async def test_one_check_serves_all_streams(
    browser_of: Browser, org: Org, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    whole = hub.recheck

    def counted(org_id: UUID, seats: set[object]) -> object:
        asked.append(len(seats))
        return whole(org_id, seats)

    monkeypatch.setattr(hub, "recheck", counted)
    keys = await aside(lambda: [sign_in(org.member()) for _ in range(10)])
    readers = [await browser_of.open(org, k, BOARD) for k in keys]
    await asyncio.sleep(hub.FRESH)
    for number in range(20):
        await aside(tell, org, BOARD, EVERYBODY, number=number)
    for reader in readers:
        await reader.until(20)
        assert reader.changes == list(range(20))
    assert asked == [10]


async def test_reader_who_was_away_gets_what_was_missed(
    browser_of: Browser, org: Org, rep: Membership, key: str
) -> None:
    first = await aside(tell, org, BOARD, EVERYBODY, number=0)
    for number, (topic, audience) in enumerate(
        [(BOARD, EVERYBODY), (f"pipeline:{uuid4()}", EVERYBODY), (BOARD, owned_by()), (BOARD, owned_by(rep))], start=1
    ):
        await aside(tell, org, topic, audience, number=number)
    by_header = await browser_of.open(org, key, BOARD, headers={"last-event-id": first})
    by_address = await browser_of.open(org, key, BOARD, after=first)
    await aside(tell, org, BOARD, EVERYBODY, number=5)
    for reader in (by_header, by_address):
        await reader.until(3)
        assert (reader.changes, "reset" in reader.names) == ([1, 4, 5], False)


async def test_page_gets_what_came_since_it_was_rendered(browser_of: Browser, org: Org, key: str) -> None:
    await aside(tell, org, BOARD, EVERYBODY, number=0)
    await asyncio.sleep(0.01)
    rendered = f"{int(time.time() * 1000)}-0"
    await asyncio.sleep(0.01)
    await aside(tell, org, BOARD, EVERYBODY, number=1)
    reader = await browser_of.open(org, key, BOARD, after=rendered)
    await reader.until(1)
    assert (reader.changes, "reset" in reader.names) == ([1], False)


@pytest.mark.parametrize("after", ["", "nonsense", "1-1", f"{'9' * 20}-0", "12;DROP"])
async def test_unknown_or_old_position_asks_for_a_reset(browser_of: Browser, org: Org, key: str, after: str) -> None:
    entry_id = await aside(tell, org, BOARD, EVERYBODY, number=0)
    reader = await browser_of.open(org, key, BOARD, after=after)
    assert (reader.names, reader.changes) == (["reset"], [])
    assert position(reader.events[0].id) >= position(just_before(position(entry_id)[0]))


async def test_position_older_than_the_buffer_asks_for_a_reset(
    browser_of: Browser, org: Org, key: str, valkey: Redis
) -> None:
    await aside(tell, org, BOARD, EVERYBODY, number=0)
    valkey.set(epoch_key(org.id), 1)  # the buffer is whole since long ago
    now = time.time() * 1000
    inside, outside = f"{int(now - (DEPTH - 5) * 1000)}-0", f"{int(now - (DEPTH + 5) * 1000)}-0"
    assert (await browser_of.open(org, key, BOARD, after=inside)).names[0] == "tick"
    assert (await browser_of.open(org, key, BOARD, after=outside)).names == ["reset"]


async def test_position_from_before_valkey_lost_its_data_asks_for_a_reset(
    browser_of: Browser, org: Org, key: str, valkey: Redis
) -> None:
    entry_id = await aside(tell, org, BOARD, EVERYBODY, number=0)
    await asyncio.sleep(0.01)
    valkey.flushdb()
    await aside(tell, org, BOARD, EVERYBODY, number=1)
    assert (await browser_of.open(org, key, BOARD, after=entry_id)).names == ["reset"]


async def test_reader_who_missed_too_much_loads_again(
    browser_of: Browser, org: Org, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.live.buffer.MOST", 5)
    first = await aside(tell, org, BOARD, EVERYBODY, number=0)
    for number in range(1, 6):
        await aside(tell, org, BOARD, EVERYBODY, number=number)
    assert (await browser_of.open(org, key, BOARD, after=first)).names == ["reset"]


async def test_buffer_is_ten_minutes_deep(org: Org, valkey: Redis) -> None:
    now = int(time.time() * 1000)
    old, young = now - (DEPTH + 60) * 1000, now - (DEPTH - 60) * 1000
    for moment in (old, young):
        for sequence in range(200):  # trimming goes by whole nodes of about a hundred entries
            valkey.xadd(stream_key(org.id), {"e": b"x"}, id=f"{moment}-{sequence}")
    await aside(tell, org, BOARD, EVERYBODY, number=0)
    moments = [entry_id.split(b"-")[0] for entry_id, _ in valkey.xrange(stream_key(org.id))]
    assert moments.count(str(young).encode()) == 200
    assert moments.count(str(old).encode()) < 100
    assert 0 < valkey.ttl(stream_key(org.id)) <= DEPTH + 300


async def test_entry_of_another_version_is_passed_over(browser_of: Browser, org: Org, key: str, valkey: Redis) -> None:
    first = await aside(tell, org, BOARD, EVERYBODY, number=0)
    valkey.xadd(stream_key(org.id), {"e": b"not JSON"})
    valkey.xadd(stream_key(org.id), {"e": b'{"n": "test.told"}'})
    reader = await browser_of.open(org, key, BOARD, after=first)
    valkey.xadd(stream_key(org.id), {"other": b"field"})
    await aside(tell, org, BOARD, EVERYBODY, number=1)
    await reader.until(1)
    assert reader.changes == [1]


async def test_heartbeat_says_up_to_where_nothing_was_missed(
    browser_of: Browser, org: Org, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TICK", 0.2)
    reader = await browser_of.open(org, key, BOARD)
    entry_id = await aside(tell, org, f"pipeline:{uuid4()}", EVERYBODY, number=0)
    await asyncio.sleep(0.01)
    await reader.until(3, "tick")
    assert position(reader.events[-1].id) > position(entry_id)
    reader.left.set()
    again = await browser_of.open(org, key, BOARD, after=reader.events[-1].id)
    assert again.names == ["tick"]


async def test_heartbeat_ends_the_stream_of_a_revoked_session(
    browser_of: Browser, org: Org, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TICK", 0.2)
    monkeypatch.setattr(hub, "FRESH", 0.1)
    reader = await browser_of.open(org, key, BOARD)
    await aside(Session.objects.filter(session_key=key).delete)
    await reader.end()
    assert reader.names[-1] == "signed-out"


async def test_slow_reader_is_dropped_with_a_reset_and_others_go_on(browser_of: Browser, org: Org, key: str) -> None:
    slow = await browser_of.open(org, key, BOARD)
    quick = await browser_of.open(org, key, BOARD)
    slow.flowing.clear()
    many = hub.QUEUE + 10
    for number in range(many):
        await aside(tell, org, BOARD, EVERYBODY, number=number)
    await quick.until(many)
    assert quick.changes == list(range(many))
    slow.flowing.set()
    await slow.end()
    assert slow.names[-1] == "reset"
    assert len(slow.changes) < many


async def test_member_has_a_limited_number_of_streams(
    browser_of: Browser, org: Org, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.live.app.SEATS", 2)
    readers = [await browser_of.open(org, key, BOARD) for _ in range(3)]
    assert [reader.names for reader in readers] == [["reset"], ["reset"], ["unavailable"]]
    readers[0].left.set()
    await readers[0].task
    assert (await browser_of.open(org, key, BOARD)).names == ["reset"]


async def test_reader_who_leaves_is_forgotten(browser_of: Browser, org: Org, key: str) -> None:
    reader = await browser_of.open(org, key, BOARD)
    live = browser_of.application.live
    assert [len(h.streams) for h in live.hubs.values()] == [1]
    reader.left.set()
    await reader.task
    assert live.hubs == {}


async def test_stream_ends_when_valkey_goes_and_comes_back_with_it(
    browser_of: Browser, org: Org, key: str, valkey: Redis
) -> None:
    reader = await browser_of.open(org, key, BOARD)
    live = browser_of.application.live
    pool = live.valkey.connection_pool
    whole = pool.connection_kwargs["path"]

    def lead_to(path: str) -> None:
        pool.connection_kwargs["path"] = path
        for made in (*pool._in_use_connections, *pool._available_connections):
            made.path = path

    lead_to("/nonexistent/valkey.sock")
    valkey.client_kill_filter(_type="normal", skipme=True)
    await reader.end()
    assert reader.names[-1] == "unavailable"
    refused = await browser_of.open(org, key, BOARD)
    assert (refused.status, refused.names) == (200, ["unavailable"])
    lead_to(whole)
    assert (await browser_of.open(org, key, BOARD)).names == ["reset"]


async def test_end_of_the_process_ends_streams_in_good_order(browser_of: Browser, org: Org, key: str) -> None:
    reader = await browser_of.open(org, key, BOARD)
    await browser_of.application.live.stop()
    await reader.end()
    assert reader.names[-1] == "unavailable"
