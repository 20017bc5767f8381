"""Where a role does not see e-mail addresses, none of them is the name of somebody without one: on no page, in no
dialog, message or notification, and not in the recycle bin."""

from __future__ import annotations

from typing import Any

import pytest

from activities.actions.log import NewActivity, log_activity
from activities.actions.tasks import create_task
from activities.receivers import tell_new_owner
from contacts.actions.contacts import create_contact
from contacts.models import Contact
from contacts.values import EmailValue, NewContact
from crm.actions.bin import delete_record
from crm.actions.sharing import share_record
from crm.events import Delivery
from crm.models import BinEntry
from deals.actions.contacts import set_deal_contact
from tests.security.hidden import Private, make_private
from tests.security.test_hidden_fields import hide

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "quixzel@zyq.example"
PART = {"HX-Request": "true"}


def make_nameless(world: Private) -> Contact:
    """A contact of the rep with an address alone, tied to what the rep's pages show."""
    with world.org.acting(world.rep) as rep:
        made = create_contact(NewContact(emails=(EmailValue(ADDRESS),), account_id=world.own.account.pk), acting=rep)
        set_deal_contact(world.own.deal.pk, made.pk, acting=rep)
        create_task({"title": "Ask them", "contact": made.pk}, acting=rep)
        log_activity(NewActivity(type="call", outcome="connected", contact_id=made.pk), acting=rep)
    return made


def pages(world: Private, pk: Any) -> list[tuple[str, dict[str, str]]]:
    own = world.own
    whole = (
        f"contacts/{pk}/", f"contacts/{own.contact.pk}/", f"accounts/{own.account.pk}/", "contacts/", f"deals/{own.deal.pk}/",
        "tasks/", "activities/", "", f"records/contact/{pk}/history/", "search/?q=quixzel", "records/contact/export/",
        f"tasks/new/?contact={pk}", f"contacts/{pk}/edit/", f"contacts/{pk}/accounts/", f"records/contact/{pk}/shares/",
        f"contacts/{pk}/accounts/{own.account.pk}/", f"records/contact/{pk}/", f"records/contact/{pk}/edit/",
        f"palette/?record=contact/{pk}", f"palette/?recent=contact/{pk}", "palette/?q=quixzel&deep=1", "notifications/",
        f"records/contact/options/?field=x&x={pk}", f"accounts/{own.account.pk}/people/",
    )  # fmt: skip
    parts = (("timeline", f"timeline/contact/{pk}/"), ("timeline", f"timeline/contact/{pk}/?tab=changes"),
             ("dialog", f"contacts/{pk}/edit/"), ("dialog", f"records/contact/{pk}/shares/"),
             ("notes", "notifications/"))  # fmt: skip
    return [(path, {}) for path in whole] + [(path, {**PART, "HX-Target": target}) for target, path in parts]


def telling(world: Private, pk: Any, member: Any = None) -> list[str]:
    found = []
    for path, headers in pages(world, pk):
        answer = world.get(path, member, **headers)
        assert answer.status_code in (200, 302), (path, answer.status_code)
        if ADDRESS in answer.said:
            found.append(path)
    return found


def test_address_that_is_hidden_is_nobodys_name():
    world = make_private()
    nameless = make_nameless(world)
    link = f"contacts/{nameless.pk}/accounts/"
    shown = telling(world, nameless.pk)
    assert link in shown
    hide(world, "contact", "email")
    assert telling(world, nameless.pk) == []
    named = (f"contacts/{nameless.pk}/", link, f"records/contact/{nameless.pk}/shares/", f"tasks/new/?contact={nameless.pk}",
             f"palette/?record=contact/{nameless.pk}", f"contacts/{nameless.pk}/edit/")  # fmt: skip
    assert [path for path in named if "(no name)" not in world.get(path).said] == []
    timeline = world.get(f"timeline/contact/{nameless.pk}/", **PART, **{"HX-Target": "timeline"}).said
    assert "called <strong>(no name)</strong>" in timeline
    assert telling(world, nameless.pk, world.admin) == shown


@pytest.mark.parametrize("way", ["contacts/{}/deletion/ contacts/{}/restoration/",
                                 "records/contact/{}/delete/ records/contact/{}/restoration/"])  # fmt: skip
def test_messages_do_not_name_somebody_by_a_hidden_address(way: str):
    world = make_private()
    nameless = make_nameless(world)
    hide(world, "contact", "email")
    browser = world.browser()
    for path in way.format(nameless.pk, nameless.pk).split():
        answer: Any = browser.post(world.base + path)
        assert answer.status_code == 302
        said = browser.get(answer["Location"]).content.decode()
        assert ("(no name)" in said, ADDRESS in said) == (True, False), path


def test_recycle_bin_neither_shows_nor_finds_a_hidden_address():
    world = make_private()
    nameless = make_nameless(world)
    with world.org.acting(world.rep) as rep:
        for pk in (nameless.pk, world.own.contact.pk):
            delete_record("contact", pk, acting=rep)
    with world.org.system():
        entry = BinEntry.objects.get(record=nameless.pk)
    assert ADDRESS in world.get("recycle-bin/?q=quixzel").said
    hide(world, "contact", "email")

    def found(sought: str, member: Any = None) -> list[bool]:
        said = world.get(f"recycle-bin/?q={sought}", member).said
        return [str(entry.pk) in said, "Olav Kjent" in said, ADDRESS in said]

    assert found("") == [True, True, False]
    assert "(no name)" in world.get("recycle-bin/").said
    assert found("quixzel") == [False] * 3
    assert found("olav") == [False, True, False]
    assert found("quixzel", world.admin) == [True, False, True]
    browser = world.browser()
    answer: Any = browser.post(f"{world.base}recycle-bin/restoration/", {"id": str(entry.pk)})
    said = browser.get(answer["Location"]).content.decode()
    assert ("(no name) is back." in said, ADDRESS in said) == (True, False)


def test_notifications_do_not_name_somebody_by_a_hidden_address():
    world = make_private()
    with world.org.acting(world.admin) as admin:
        made = create_contact(NewContact(emails=(EmailValue(ADDRESS),), owner_id=world.keeper.pk), acting=admin)
        share_record("contact", made.pk, member=world.rep.pk, level="read", acting=admin)
        given = create_contact(NewContact(emails=(EmailValue(f"2{ADDRESS}"),), owner_id=world.rep.pk), acting=admin)
        share_record("contact", world.hidden.contact.pk, member=world.rep.pk, level="read", acting=admin)
    with world.org.system():
        who = {"member": str(world.admin.pk), "kind": "member", "change_set": None}
        payload = {"to_member": str(world.rep.pk), "by": who}
        tell_new_owner(Delivery(7, world.org.id, "contact.assigned", given.pk, payload))

    def told() -> list[list[int]]:
        inbox = world.get("notifications/").said
        panel = world.get("notifications/", **PART, **{"HX-Target": "notes"}).said
        return [[said.count(text) for text in (ADDRESS, "(no name)", "Vigdis Hemmelig")] for said in (inbox, panel)]

    assert told() == [[2, 0, 1]] * 2
    hide(world, "contact", "email")
    assert told() == [[0, 2, 1]] * 2
