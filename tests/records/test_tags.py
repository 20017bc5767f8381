"""The organisation's tags: renaming, merging, deleting, on records of every type, whoever owns them."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Account, Contact
from contacts.values import NewAccount, NewContact
from crm.actions import tag_setup
from crm.actions.bin import delete_record
from crm.actions.members import deactivate_member
from crm.actions.tag_setup import TagTaken, create_tag, delete_tag, merge_tags, restore_tag, update_tag
from crm.actions.tags import resolve_tags
from crm.events.relay import deliver_due
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import AuditEntry, ChangeSet, OutboxEvent, Tag
from crm.records.tagged import usage
from crm.tasks import tags as tag_job
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


def tag(port: Harbour, name: str, tone: str = "blue") -> Tag:
    with port.org.acting(port.admin) as admin:
        return create_tag(name, tone, acting=admin)


def page(port: Harbour, member: Any, path: str = "") -> Any:
    return client_for(member).get(f"/w/{port.org.slug}/settings/tags/{path}")


def tags_of(port: Harbour, record: Any) -> list[UUID]:
    found: list[UUID] = port.fresh(record).tags
    return found


# ---------------------------------------------------------------- name and colour


def test_new_name_and_colour_hold_on_every_record_and_filter_at_once(port: Harbour) -> None:
    made = tag(port, "Fair")
    port.vessel(tags=[made.pk])
    with port.org.acting(port.manager) as manager:
        update_tag(made.pk, "  Trade   fair ", "red", acting=manager)
    client = client_for(port.rep)
    for path in ("", f"?tags={made.pk}"):
        html = client.get(f"/w/{port.org.slug}/records/vessel/{path}").content.decode()
        assert "Trade fair" in html
        assert "Aurora" in html
    with port.org.system():
        assert OutboxEvent.objects.filter(name="tag.changed", record=made.pk).count() == 2
        diff = AuditEntry.objects.filter(table_name="crm_tag", row_id=made.pk, operation="U").get().diff
        assert diff == {"name": ["Fair", "Trade fair"], "tone": ["blue", "red"]}


@pytest.mark.parametrize(
    ("name", "tone", "field"), [("", "blue", "name"), ("x" * 61, "blue", "name"), ("Fair", "mauve", "tone")]
)
def test_what_is_no_tag_is_refused(port: Harbour, name: str, tone: str, field: str) -> None:
    with port.org.acting(port.admin) as admin, pytest.raises(Invalid) as refused:
        create_tag(name, tone, acting=admin)
    assert list(refused.value.fields) == [field]


def test_taken_name_offers_the_merge(port: Harbour) -> None:
    one, other = tag(port, "Crème"), tag(port, "Expo")
    with port.org.acting(port.admin) as admin, pytest.raises(TagTaken) as refused:
        update_tag(other.pk, "CREME", "blue", acting=admin)
    assert refused.value.tag_id == one.pk
    response = client_for(port.admin).post(
        f"/w/{port.org.slug}/settings/tags/{other.pk}/", {"name": "creme", "tone": "blue"}
    )
    assert response.status_code == 422
    assert f"/settings/tags/{other.pk}/merge/?into={one.pk}" in response.content.decode()
    with port.org.acting(port.admin) as admin:
        update_tag(one.pk, "CRÈME", "blue", acting=admin)  # its own name, written otherwise


@pytest.mark.parametrize("who", ["rep", "reader"])
def test_tags_are_arranged_by_admins_and_managers_only(port: Harbour, who: str) -> None:
    one, other = tag(port, "Fair"), tag(port, "Expo")
    vessel = port.vessel(tags=[one.pk])
    with port.org.acting(getattr(port, who)) as actor:
        for attempt in (
            lambda: create_tag("New", "blue", acting=actor), lambda: update_tag(one.pk, "New", "red", acting=actor),
            lambda: merge_tags(one.pk, other.pk, acting=actor), lambda: delete_tag(one.pk, acting=actor),
            lambda: restore_tag(one.pk, acting=actor),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                attempt()
    with port.org.system():
        assert sorted(Tag.objects.values_list("name", "version")) == [("Expo", 1), ("Fair", 1)]
    assert tags_of(port, vessel) == [one.pk]
    assert page(port, getattr(port, who)).status_code == 403


# ---------------------------------------------------------------- how many


def test_numbers_are_those_of_all_live_records_by_type(port: Harbour) -> None:
    fair, expo = tag(port, "Fair"), tag(port, "Expo")
    with port.org.acting(port.rep) as rep:
        create_contact(NewContact(last_name="Okafor", tags=(fair.pk, expo.pk)), acting=rep)
        gone = create_account(NewAccount(name="Gone", tags=(fair.pk,)), acting=rep)
        create_account(NewAccount(name="Halden", tags=(fair.pk,)), acting=rep)
        delete_record("account", gone.pk, acting=rep)
    port.vessel(owner=port.stranger, tags=[fair.pk])
    port.vessel(owner=port.stranger, tags=[fair.pk])
    with port.org.system():
        plain: dict[UUID, Counter[str]] = {}
        for key, model in (("contact", Contact), ("account", Account), ("vessel", Vessel)):
            for tags in model.objects.values_list("tags", flat=True):
                for found in tags:
                    plain.setdefault(found, Counter())[key] += 1
    with port.org.acting(port.manager):
        assert usage() == plain == {fair.pk: {"contact": 1, "account": 1, "vessel": 2}, expo.pk: {"contact": 1}}
    html = page(port, port.manager, "?counts=1").content.decode()
    assert "1 contact · 1 account · 2 vessels" in html
    assert "1 contact<" in html


def test_page_takes_a_fixed_number_of_statements(port: Harbour) -> None:
    counts = []
    for rounds in (2, 30):
        for n in range(rounds):
            port.vessel(tags=[tag(port, f"Tag {rounds} {n}").pk])
        page(port, port.admin, "?counts=1")
        with CaptureQueriesContext(connection) as captured:
            page(port, port.admin, "?counts=1")
        counts.append(len([q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT", "SET LOCAL"))]))
    assert counts[0] == counts[1] <= 6


# ---------------------------------------------------------------- merging


def test_merge_repoints_every_type_hidden_and_binned_records_in_one_change_set(port: Harbour) -> None:
    """As a manager who does not see the stranger's records."""
    fair, expo, other = tag(port, "Fair"), tag(port, "Expo"), tag(port, "Other")
    with port.org.acting(port.stranger) as stranger:
        hidden = create_contact(NewContact(last_name="Skjult", tags=(other.pk, fair.pk)), acting=stranger)
        both = create_account(NewAccount(name="Both", tags=(expo.pk, fair.pk)), acting=stranger)
    binned, without = port.vessel(tags=[fair.pk]), port.vessel("Without", tags=[other.pk])
    port.delete("vessel", binned)
    before = port.fresh(hidden)
    with port.org.acting(port.manager) as manager:
        merged = merge_tags(fair.pk, expo.pk, acting=manager)
    assert (merged.moved, merged.is_done) == (3, True)
    assert [tags_of(port, record) for record in (hidden, both, binned, without)] == [
        [other.pk, expo.pk], [expo.pk], [expo.pk], [other.pk],
    ]  # fmt: skip
    after = port.fresh(hidden)
    assert (after.version, after.updated_at) == (before.version + 1, before.updated_at)
    with port.org.system():
        made = ChangeSet.objects.get(kind="merge")
        assert (made.made_by_id, made.label) == (port.manager.pk, "“Fair” into “Expo”")
        written = AuditEntry.objects.filter(change_set_id=made.pk).values_list("table_name", flat=True)
        assert Counter(written) == {
            "contacts_contact": 1, "contacts_account": 1, "vessels_vessel": 1, "crm_tag": 1,
        }  # fmt: skip
        assert sorted(Tag.objects.values_list("name", flat=True)) == ["Expo", "Other"]
        # Who types the former name makes a new tag.
        assert resolve_tags([["Fair"]], acting=port.org.actor(port.admin))[0] not in ([fair.pk], [expo.pk])


@pytest.mark.parametrize("leaves", [False, True])
def test_merge_of_many_goes_on_in_the_background(port: Harbour, monkeypatch: pytest.MonkeyPatch, leaves: bool) -> None:
    monkeypatch.setattr(tag_setup, "BATCH", 3)
    fair, expo = tag(port, "Fair"), tag(port, "Expo")
    vessels = [port.vessel(f"Ship {n}", owner=port.stranger, tags=[fair.pk]) for n in range(8)]
    with port.org.acting(port.manager) as manager:
        merged = merge_tags(fair.pk, expo.pk, acting=manager)
    assert (merged.moved, merged.is_done) == (3, False)
    assert "being merged" in page(port, port.admin).content.decode()
    with port.org.acting(port.admin) as admin:
        with pytest.raises(Conflict):
            update_tag(fair.pk, "Other", "red", acting=admin)
        if leaves:
            deactivate_member(port.manager.pk, acting=admin)
        (job,) = OutboxEvent.objects.filter(name="task")
    assert job.payload["task"] == tag_job.run.name
    tag_job.run.apply(kwargs=job.payload["kwargs"], throw=True)
    tag_job.run.apply(kwargs=job.payload["kwargs"], throw=True)  # delivered twice
    assert [tags_of(port, vessel) for vessel in vessels] == [[expo.pk]] * 8
    with port.org.system():
        made = ChangeSet.objects.get(kind="merge")
        assert AuditEntry.objects.filter(change_set_id=made.pk, table_name="vessels_vessel").count() == 8
        assert list(Tag.objects.values_list("name", "custom")) == [("Expo", {})]


def test_merge_into_a_tag_that_is_deleted_meanwhile_stops(port: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_setup, "BATCH", 1)
    fair, expo = tag(port, "Fair"), tag(port, "Expo")
    vessels = [port.vessel(f"Ship {n}", tags=[fair.pk]) for n in range(3)]
    with port.org.acting(port.admin) as admin:
        merge_tags(fair.pk, expo.pk, acting=admin)
        delete_tag(expo.pk, acting=admin)
        (job,) = OutboxEvent.objects.filter(name="task")
    tag_job.run.apply(kwargs=job.payload["kwargs"], throw=True)
    assert [tags_of(port, vessel) for vessel in vessels] == [[expo.pk], [fair.pk], [fair.pk]]
    with port.org.acting(port.admin) as admin:
        assert update_tag(fair.pk, "Fair again", "blue", acting=admin).custom == {}


def test_merge_of_what_is_gone_or_the_same_is_refused(port: Harbour) -> None:
    fair, expo = tag(port, "Fair"), tag(port, "Expo")
    with port.org.acting(port.admin) as admin:
        with pytest.raises(Invalid):
            merge_tags(fair.pk, fair.pk, acting=admin)
        delete_tag(expo.pk, acting=admin)
        for pair in ((fair.pk, expo.pk), (expo.pk, fair.pk), (fair.pk, "nonsense")):
            with pytest.raises(NotFound):
                merge_tags(*pair, acting=admin)
        assert ChangeSet.objects.count() == 0


def test_events_of_tags_are_delivered_though_nobody_waits_for_them(port: Harbour) -> None:
    fair, expo = tag(port, "Fair"), tag(port, "Expo")
    with port.org.acting(port.admin) as admin:
        merge_tags(fair.pk, expo.pk, acting=admin)
        merged = OutboxEvent.objects.get(name="tag.merged")
        assert (merged.record, merged.payload["into"]) == (fair.pk, str(expo.pk))
    deliver_due()
    with port.org.system():
        assert OutboxEvent.objects.count() == 0


# ---------------------------------------------------------------- deleting


def test_deleted_tag_is_gone_from_records_and_back_on_them(port: Harbour) -> None:
    fair = tag(port, "Fair")
    vessel = port.vessel(tags=[fair.pk])
    client, base = client_for(port.admin), f"/w/{port.org.slug}/settings/tags/{fair.pk}/"
    assert "It is taken off 1 vessel." in client.get(base + "deletion/").content.decode()
    gone = client.post(base + "deletion/")
    assert f'action="{base}restoration/"' in client.get(gone["Location"]).content.decode()
    listed = f"/w/{port.org.slug}/records/vessel/"
    assert "Fair" not in client.get(listed).content.decode()
    assert client.post(base + "restoration/").status_code == 302
    assert "Fair" in client.get(listed).content.decode()
    assert tags_of(port, vessel) == [fair.pk]


def test_deleted_tag_whose_name_was_given_anew_stays_deleted(port: Harbour) -> None:
    fair = tag(port, "Fair")
    with port.org.acting(port.admin) as admin:
        delete_tag(fair.pk, acting=admin)
        create_tag("fair", "red", acting=admin)
        with pytest.raises(Conflict):
            restore_tag(fair.pk, acting=admin)
        assert Tag.objects.count() == 1
