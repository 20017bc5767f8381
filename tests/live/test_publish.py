"""From a domain event to the buffer: topics, audiences, and a Valkey that is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
import redis
from django.db.models.functions import Now
from django.utils import timezone

from contacts.actions.contacts import create_contact
from contacts.models import Contact, ContactShare
from contacts.values import NewContact
from crm.actions.notifications import mark_all_read, notify
from crm.actions.sharing import share_record
from crm.enums import Role
from crm.events import Event, emit
from crm.events.registry import Receiver, forget
from crm.events.relay import deliver_due
from crm.live import registry
from crm.live.audience import EVERYBODY, Audience, audience_of
from crm.live.buffer import just_before, position, read_entries, resumable, stream_key
from crm.live.topics import MOST, member_topic, parse_topics
from crm.models import OutboxEvent
from crm.tenancy.context import Actor
from tests.factories import Org, make_org

pytestmark = pytest.mark.django_db(transaction=True)
ONE, TWO, THREE = uuid4(), uuid4(), uuid4()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Event):
    """An event of these tests."""

    name: ClassVar[str] = "test.moved"
    boards: tuple[UUID, ...]


@pytest.fixture
def org() -> Org:
    return make_org()


@pytest.fixture
def published() -> Iterator[Callable[..., None]]:
    """`published(topic=..., data=..., audience=...)` publishes "test.moved" for this test."""
    made: list[Receiver] = []

    def register(**parts: Any) -> None:
        given = {
            "topic": lambda d: [f"pipeline:{b}" for b in d.payload["boards"]],
            "data": lambda d: {"deal": d.record},
            "audience": lambda _d: EVERYBODY,
        }
        made.append(registry.publish_on("test.moved", **{**given, **parts}))

    yield register
    for receiver in made:
        forget(receiver)


def buffered(org: Org, valkey: redis.Redis) -> list[Any]:
    return read_entries(valkey.xrange(stream_key(org.id)))  # type: ignore[arg-type]


def test_event_is_published_once_for_each_topic(org: Org, valkey: redis.Redis, published: Callable[..., None]) -> None:
    published()
    deal, north, south = uuid4(), uuid4(), uuid4()
    with org.system():
        emit(Moved(record=deal, boards=(north, south, north)))
    assert deliver_due() == {"delivered": 1}
    events = buffered(org, valkey)
    assert [(e.name, e.topic, e.record, e.data, e.audience) for e in events] == [
        ("test.moved", f"pipeline:{board}", deal, {"deal": str(deal)}, EVERYBODY) for board in (north, south)
    ]


def test_event_without_a_topic_is_not_published(org: Org, valkey: redis.Redis, published: Callable[..., None]) -> None:
    published(topic=lambda _d: None)
    with org.system():
        emit(Moved(record=uuid4(), boards=()))
    assert deliver_due() == {"delivered": 1}
    assert buffered(org, valkey) == []


def test_two_publications_of_one_event_are_two_receivers(
    org: Org, valkey: redis.Redis, published: Callable[..., None]
) -> None:
    published(topic=lambda d: f"deal:{d.record}")
    published(topic=lambda d: f"account:{d.record}")
    deal = uuid4()
    with org.system():
        emit(Moved(record=deal, boards=()))
    deliver_due()
    assert [e.topic for e in buffered(org, valkey)] == [f"deal:{deal}", f"account:{deal}"]


def test_malformed_topic_is_the_publishers_fault(org: Org, published: Callable[..., None]) -> None:
    published(topic=lambda _d: "everything")
    with org.system():
        emit(Moved(record=uuid4(), boards=()))
    assert deliver_due() == {"failed": 1}


def test_event_waits_while_valkey_is_away(
    org: Org, valkey: redis.Redis, published: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    published()
    board = uuid4()
    with org.system():
        for _ in range(20):
            emit(Moved(record=uuid4(), boards=(board,)))
    tried = []

    def away(*_arguments: object) -> str:
        tried.append(1)
        raise redis.ConnectionError("nobody there")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "publish", away)
        assert deliver_due() == {"postponed": 20}
    assert tried == [1]  # not one timeout each
    monkeypatch.setattr(registry, "_paused_until", 0.0)
    with org.system():
        assert {(e.attempts, e.dead_at) for e in OutboxEvent.objects.all()} == {(0, None)}
        OutboxEvent.objects.update(available_at=Now())
    assert deliver_due() == {"delivered": 20}
    assert len(buffered(org, valkey)) == 20


def test_notification_is_told_to_its_member_alone(org: Org, valkey: redis.Redis) -> None:
    rep = org.member()
    with org.system():
        notify(rep.id, "member.role_changed", role="rep", by="Ada")
    deliver_due()
    with org.acting(rep) as acting:
        assert mark_all_read(acting=acting) == 1
    deliver_due()
    with org.acting(rep) as acting:
        assert mark_all_read(acting=acting) == 0
    deliver_due()
    assert [(e.name, e.topic, e.data, e.audience) for e in buffered(org, valkey)] == [
        ("member.inbox_changed", member_topic(rep.id), {}, Audience.only(rep.id))
    ] * 2


def test_audience_of_a_record_is_its_owners_and_those_it_is_shared_with(org: Org) -> None:
    owner, former, reader, late = org.member(), org.member(), org.member(), org.member()
    team = org.team("North", org.member())
    with org.acting(owner) as acting:
        contact = create_contact(NewContact(first_name="Ines"), acting=acting)
        share_record("contact", contact.pk, member=reader.id, level="read", acting=acting)
        share_record("contact", contact.pk, team=team.id, level="read", acting=acting)
        share_record("contact", contact.pk, member=late.id, level="read", acting=acting)
    with org.system():
        ContactShare.objects.filter(member=late).update(until=timezone.now() - timedelta(minutes=1))
        audience = audience_of(Contact, contact.pk, owner.id, str(former.id), None)
        of_several = audience_of(Contact, [uuid4(), contact.pk])
    assert audience == Audience(
        owners=frozenset({owner.id, former.id}), members=frozenset({reader.id}), teams=frozenset({team.id})
    )
    assert of_several == Audience(members=frozenset({reader.id}), teams=frozenset({team.id}))


def actor(**fields: Any) -> Actor:
    return Actor(org_id=uuid4(), kind="member", **{"read": "own", "member_id": ONE, "members": (ONE,), **fields})


@pytest.mark.parametrize(
    ("audience", "admitted"),
    [
        (EVERYBODY, True),
        (Audience.only(ONE), True),
        (Audience.only(TWO), False),
        (Audience(owners=frozenset({ONE})), True),
        (Audience(owners=frozenset({TWO})), False),
        (Audience(members=frozenset({ONE})), True),
        (Audience(members=frozenset({TWO})), False),
        (Audience(teams=frozenset({THREE})), False),
        (Audience(), False),
    ],
)
def test_audience_admits_those_who_see_the_record(audience: Audience, admitted: bool) -> None:
    assert audience.admits(actor()) is admitted
    assert Audience.unpacked({k: [str(i) for i in v] if isinstance(v, list) else str(v) if k == "person" else v
                              for k, v in audience.packed().items()}) == audience  # fmt: skip


def test_audience_follows_reach_teams_and_managed_people() -> None:
    others = Audience(owners=frozenset({TWO}))
    assert others.admits(actor(read="all"))
    assert others.admits(actor(members=(ONE, TWO)))
    assert Audience(teams=frozenset({THREE})).admits(actor(teams=(THREE,)))
    assert not Audience.only(TWO).admits(actor(read="all", role=Role.ADMIN))


def test_topics_are_well_formed_ones_own_and_few() -> None:
    good, foreign = f"pipeline:{ONE}", member_topic(TWO)
    assert parse_topics(f"{good},me,{good}", ONE) == {good, member_topic(ONE)}
    assert parse_topics(f"{foreign},{member_topic(ONE)},pipeline:x,:{ONE},DEAL:{ONE},{good}x,", ONE) == set()
    assert parse_topics("me", None) == set()
    assert len(parse_topics(",".join(f"deal:{uuid4()}" for _ in range(100)), ONE)) == MOST


def test_event_of_the_very_millisecond_of_a_look_is_not_missed(org: Org, valkey: redis.Redis) -> None:
    """An id is a millisecond and a number; whoever looks in one and hears nothing must hear what comes later in it."""
    rep = org.member()
    with org.system():
        notify(rep.id, "member.role_changed", role="rep", by="Ada")
    deliver_due()
    [first] = buffered(org, valkey)
    moment = int(first.id.partition("-")[0])
    before = just_before(moment)
    entries: Any = valkey.xrange(stream_key(org.id), f"({before}", "+")
    assert [event.id for event in read_entries(entries)] == [first.id]
    assert position(before) < position(f"{moment}-0")
    assert resumable(before, moment + 5, moment)
    assert not resumable(just_before(moment - 1), moment + 5, moment)
