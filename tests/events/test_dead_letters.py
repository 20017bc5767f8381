"""Events that were given up: an admin sees them, has them delivered again, or drops them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from django.db.models.functions import Now
from django.test import Client

from crm import queries
from crm.actions import deadletters
from crm.enums import Role
from crm.events import Event, emit, enqueue_on_commit
from crm.events.relay import ATTEMPTS, deliver_due
from crm.lib.errors import Forbidden, NotFound
from crm.models import Membership, OutboxEvent
from tests.events.conftest import Ear
from tests.factories import Org, make_org
from tests.support.web import session_for

pytestmark = pytest.mark.django_db(transaction=True)
Listen = Callable[..., Ear]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """An event of these tests."""

    name: ClassVar[str] = "test.failed"
    number: int


@pytest.fixture
def org() -> Org:
    return make_org()


@pytest.fixture
def admin(org: Org) -> Membership:
    return org.member(Role.ADMIN)


@pytest.fixture
def ear(listen: Listen) -> Ear:
    """Receives the events; they fail at first."""
    ear = listen("test.failed")
    ear.fail = lambda _delivery: ValueError("the receiver is broken")
    return ear


def bury(org: Org, *numbers: int, record: UUID | None = None) -> list[int]:
    """Dead letters, by ten failed attempts each; their ids."""
    with org.system():
        emit(*(Failed(record=record or uuid4(), number=number) for number in numbers))
    for _ in range(ATTEMPTS * (len(numbers) if record else 1)):
        deliver_due()
        with org.system():
            OutboxEvent.objects.update(available_at=Now())
    with org.system():
        letters, total = queries.dead_letters()
    assert total == len(letters)
    return [letter.id for letter in letters]


def browser(member: Membership) -> Client:
    client = Client()
    client.cookies["keel_session"] = session_for(member.user)
    return client


def test_admin_has_a_dead_letter_delivered_again(org: Org, admin: Membership, ear: Ear) -> None:
    one, two = bury(org, 1, 2)
    ear.fail = lambda _delivery: None
    with org.acting(admin) as acting:
        deadletters.replay_dead_letter(two, acting=acting)
    assert deliver_due() == {"delivered": 1}
    assert ear.numbers == [2]
    with org.system():
        assert [letter.id for letter in queries.dead_letters()[0]] == [one]


def test_all_dead_letters_are_delivered_again_in_their_order(org: Org, admin: Membership, ear: Ear) -> None:
    bury(org, 1, 2, 3, record=uuid4())
    ear.fail = lambda _delivery: None
    with org.acting(admin) as acting:
        assert deadletters.replay_dead_letters(acting=acting) == 3
    deliver_due()
    assert ear.numbers == [1, 2, 3]


def test_replay_leaves_out_receivers_that_have_had_the_event(
    org: Org, admin: Membership, ear: Ear, listen: Listen
) -> None:
    sound = listen("test.failed")
    bury(org, 1)
    ear.fail = lambda _delivery: None
    with org.acting(admin) as acting:
        deadletters.replay_dead_letters(acting=acting)
    deliver_due()
    assert (ear.numbers, sound.numbers) == ([1], [1])


def test_replayed_event_that_still_fails_has_ten_attempts_again(org: Org, admin: Membership, ear: Ear) -> None:
    [letter] = bury(org, 1)
    with org.acting(admin) as acting:
        deadletters.replay_dead_letter(letter, acting=acting)
    assert deliver_due() == {"failed": 1}
    with org.system():
        event = OutboxEvent.objects.get(id=letter)
    assert (event.attempts, event.dead_at, event.error) == (1, None, "ValueError: the receiver is broken")


def test_dropped_letter_is_gone(org: Org, admin: Membership, ear: Ear) -> None:
    one, two = bury(org, 1, 2)
    with org.acting(admin) as acting:
        deadletters.drop_dead_letter(one, acting=acting)
        with pytest.raises(NotFound):
            deadletters.drop_dead_letter(one, acting=acting)
        with pytest.raises(NotFound):
            deadletters.replay_dead_letter(one, acting=acting)
    with org.system():
        assert [letter.id for letter in queries.dead_letters()[0]] == [two]


def test_event_that_is_still_tried_can_be_neither_dropped_nor_replayed(org: Org, admin: Membership, ear: Ear) -> None:
    with org.system():
        emit(Failed(record=uuid4(), number=1))
        waiting = OutboxEvent.objects.get().id
    with org.acting(admin) as acting:
        for action in (deadletters.drop_dead_letter, deadletters.replay_dead_letter):
            with pytest.raises(NotFound):
                action(waiting, acting=acting)
        assert deadletters.replay_dead_letters(acting=acting) == 0
    with org.system():
        assert OutboxEvent.objects.count() == 1


@pytest.mark.parametrize("role", [Role.MANAGER, Role.REP, Role.READONLY])
def test_only_admins_touch_dead_letters(org: Org, ear: Ear, role: Role) -> None:
    [letter] = bury(org, 1)
    member = org.member(role)
    with org.acting(member) as acting:
        for call in (
            lambda: deadletters.replay_dead_letter(letter, acting=acting),
            lambda: deadletters.replay_dead_letters(acting=acting),
            lambda: deadletters.drop_dead_letter(letter, acting=acting),
        ):
            with pytest.raises(Forbidden):
                call()
    assert browser(member).get(f"/w/{org.slug}/settings/events/").status_code == 403
    with org.system():
        assert [row.id for row in queries.dead_letters()[0]] == [letter]


def test_letters_of_another_organisation_are_out_of_reach(org: Org, admin: Membership, ear: Ear) -> None:
    other = make_org()
    [foreign] = bury(other, 1)
    with org.acting(admin) as acting:
        assert deadletters.replay_dead_letters(acting=acting) == 0
        with pytest.raises(NotFound):
            deadletters.drop_dead_letter(foreign, acting=acting)
    assert "the receiver is broken" not in browser(admin).get(f"/w/{org.slug}/settings/events/").content.decode()
    with other.system():
        assert [row.id for row in queries.dead_letters()[0]] == [foreign]


def test_page_shows_what_failed_and_why(org: Org, admin: Membership, ear: Ear) -> None:
    client, path = browser(admin), f"/w/{org.slug}/settings/events/"
    assert "No failed events" in client.get(path).content.decode()
    [letter] = bury(org, 1)
    with org.system():
        enqueue_on_commit("crm.mail.send_something", message_id=uuid4())
        OutboxEvent.objects.filter(name="task").update(dead_at=Now(), attempts=10, error="<b>broken</b>")
    text = client.get(path).content.decode()
    assert "test.failed" in text
    assert "ValueError: the receiver is broken" in text
    assert "10 attempts" in text
    assert "crm.mail.send_something" in text
    assert "&lt;b&gt;broken&lt;/b&gt;" in text
    assert client.delete(f"{path}{letter}/").status_code == 302
    assert "The event was dropped." in client.get(path).content.decode()
    assert "ValueError: the receiver is broken" not in client.get(path).content.decode()
