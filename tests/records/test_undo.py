"""A change set is taken back where nobody has changed it since, and that can be taken back, too."""

from __future__ import annotations

import io
from typing import Any

import pytest

from contacts.actions import imports
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact, update_contact
from contacts.models import AccountContact, Contact, ImportJob
from contacts.tasks import run_import
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions.bin import delete_record
from crm.actions.bulk import start_bulk
from crm.actions.fields import FieldSettings, create_field
from crm.actions.members import deactivate_member, reactivate_member
from crm.actions.undo import undo_change_set
from crm.audit import change_set
from crm.lib.errors import Conflict, Forbidden
from crm.models import BulkPart, BulkRun, ChangeSet, Membership, OutboxEvent, UniqueValue
from crm.records import schema
from crm.records.actions import update_record
from crm.records.registry import registry
from crm.records.selections import Selection
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.actions.stages import move_deal
from deals.models import Stage, StageChange
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


def run(port: Harbour, member: Any, key: str, kind: str, records: list[Any], **values: Any) -> BulkRun:
    with port.org.acting(member) as acting:
        return start_bulk(key, kind, values, Selection(tuple(r.pk for r in records)), acting=acting)


def undo(port: Harbour, member: Any, done: BulkRun) -> BulkRun:
    with port.org.acting(member) as acting:
        return undo_change_set(done.change_set_id, acting=acting)


def refused(port: Harbour, done: BulkRun) -> list[tuple[str, str]]:
    with port.org.system():
        return [
            (pk, text) for part in BulkPart.objects.filter(run=done).order_by("number") for pk, text in part.refused
        ]


def columns(port: Harbour, record: Any) -> dict[str, Any]:
    """A record as it is, without what every change moves on."""
    row = {f.attname: getattr(port.fresh(record), f.attname) for f in record._meta.concrete_fields}
    return {name: value for name, value in row.items() if name not in ("version", "updated_at")}


def imported(port: Harbour, text: bytes) -> ImportJob:
    """What the rep has imported."""
    with port.org.acting(port.rep) as rep:
        job = imports.upload_import(io.BytesIO(text), "people.csv", acting=rep)
        job = imports.start_import(job.pk, acting=rep)
    run_import(org_id=str(port.org.id), job_id=str(job.pk), member_id=str(port.rep.pk))
    return job


def people(port: Harbour, count: int = 3) -> list[Any]:
    with port.org.acting(port.rep) as rep:
        return [
            create_contact(NewContact(last_name=f"Person {n}", emails=(EmailValue(f"p{n}@quay.example"),)), acting=rep)
            for n in range(count)
        ]


def test_fields_go_back_and_forth_again(port: Harbour):
    ships = [port.vessel(f"Ship {n}", crew=n) for n in range(3)]
    before = [columns(port, ship) for ship in ships]
    done = run(port, port.rep, "vessel", "set", ships, crew=9)
    after = [columns(port, ship) for ship in ships]
    back = undo(port, port.rep, done)
    assert (back.changed, back.unchanged, back.refused) == (3, 0, 0)
    assert [columns(port, ship) for ship in ships] == before
    assert {port.fresh(ship).version for ship in ships} == {3}
    again = undo(port, port.rep, back)
    assert again.changed == 3
    assert [columns(port, ship) for ship in ships] == after
    with port.org.system():
        assert list(ChangeSet.objects.order_by("id").values_list("kind", "undoes")) == [
            ("bulk_edit", None), ("undo", done.change_set_id), ("undo", back.change_set_id),
        ]  # fmt: skip
        events = OutboxEvent.objects.filter(name="vessel.updated").order_by("id")
        assert [event.payload["records"] for event in events] == [sorted(str(ship.pk) for ship in ships)] * 3


def test_what_was_changed_since_stays_and_is_listed(port: Harbour):
    ships = [port.vessel(f"Ship {n}", crew=n) for n in range(5)]
    done = run(port, port.rep, "vessel", "set", ships, crew=9)
    with port.org.acting(port.manager) as manager:
        update_record(registry.get("vessel"), ships[0].pk, {"crew": 50}, acting=manager)
        update_record(registry.get("vessel"), ships[1].pk, {"name": "Renamed"}, acting=manager)
        update_record(registry.get("vessel"), ships[2].pk, {"crew": 2}, acting=manager)
    port.delete("vessel", ships[3])
    back = undo(port, port.rep, done)
    assert [port.fresh(ship).crew for ship in ships] == [50, 9, 2, 9, 4]
    assert (back.changed, back.unchanged, back.refused) == (1, 1, 3)
    since = "Changed since by Mia Manager"
    assert refused(port, back) == [
        (str(ships[0].pk), since),
        (str(ships[1].pk), since),
        (str(ships[3].pk), "Deleted since"),
    ]


def test_only_its_maker_or_an_admin_undoes_and_only_once(port: Harbour):
    ships = [port.vessel("Ship", crew=1)]
    done = run(port, port.rep, "vessel", "set", ships, crew=9)
    for member in (port.manager, port.stranger, port.reader):
        with pytest.raises(Forbidden):
            undo(port, member, done)
    assert port.fresh(ships[0]).crew == 9
    assert undo(port, port.admin, done).changed == 1
    with pytest.raises(Conflict):
        undo(port, port.rep, done)
    assert port.fresh(ships[0]).crew == 1


def test_maker_who_may_only_read_by_now_undoes_nothing(port: Harbour):
    ships = [port.vessel("Ship", crew=1)]
    done = run(port, port.rep, "vessel", "set", ships, crew=9)
    with port.org.system():
        Membership.objects.filter(pk=port.rep.pk).update(role="readonly")
    with pytest.raises(Forbidden):
        undo(port, port.rep, done)
    assert port.fresh(ships[0]).crew == 9


def test_records_handed_out_of_sight_come_back_and_the_stranger_s_do_not(port: Harbour):
    ships = [port.vessel(f"Ship {n}") for n in range(3)]
    done = run(port, port.rep, "vessel", "assign", ships, owner=str(port.stranger.pk))
    assert {port.fresh(ship).owner_id for ship in ships} == {port.stranger.pk}
    with port.org.acting(port.stranger) as stranger:
        update_record(registry.get("vessel"), ships[0].pk, {"name": "Mine now"}, acting=stranger)
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (2, 1)
    assert [port.fresh(ship).owner_id for ship in ships] == [port.stranger.pk, port.rep.pk, port.rep.pk]
    assert refused(port, back) == [(str(ships[0].pk), "Not yours to change, or out of your sight")]
    page = client_for(port.rep).get(f"/w/{port.org.slug}/bulk/{back.pk}/").content.decode()
    assert "Mine now" not in page
    assert "Sven" not in page


def test_records_do_not_go_back_to_a_leaver(port: Harbour):
    ship = port.vessel("Ship")
    done = run(port, port.admin, "vessel", "assign", [ship], owner=str(port.stranger.pk))
    with port.org.system():
        Membership.objects.filter(pk=port.rep.pk).update(active=False)
    back = undo(port, port.admin, done)
    assert (back.changed, back.refused) == (0, 1)
    assert port.fresh(ship).owner_id == port.stranger.pk


def test_deleted_records_come_back_and_go_again(port: Harbour):
    ships = [port.vessel(f"Ship {n}") for n in range(3)]
    done = run(port, port.rep, "vessel", "delete", ships)
    assert all(port.fresh(ship).deleted_at for ship in ships)
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (3, 0)
    assert not any(port.fresh(ship).deleted_at for ship in ships)
    assert undo(port, port.rep, back).changed == 3
    assert all(port.fresh(ship).deleted_at for ship in ships)


def test_links_to_accounts_go_back(port: Harbour):
    made = people(port, 3)
    with port.org.acting(port.rep) as rep:
        first, second = (create_account(NewAccount(name=name), acting=rep) for name in ("First", "Second"))
        update_contact(made[0].pk, {"account": first.pk}, acting=rep)

    def links() -> set[tuple[Any, ...]]:
        with port.org.system():
            return set(AccountContact.objects.values_list("contact_id", "account_id", "is_primary", "role"))

    before, rows = links(), [columns(port, contact) for contact in made]
    done = run(port, port.rep, "contact", "set", made, account=str(second.pk))
    after = links()
    assert {port.fresh(contact).account_id for contact in made} == {second.pk}
    back = undo(port, port.rep, done)
    assert back.changed == 3
    assert (links(), [columns(port, contact) for contact in made]) == (before, rows)
    undo(port, port.rep, back)
    assert links() == after
    apart = run(port, port.rep, "contact", "set", made, account=None)
    undo(port, port.rep, apart)
    assert links() == after


def test_deals_go_back_to_their_stage_with_clocks_and_closing(port: Harbour):
    with port.org.system() as system:
        create_default_pipeline(acting=system)
        stages = dict(Stage.objects.values_list("name", "pk"))
    with port.org.acting(port.rep) as rep:
        made = [
            create_deal({"name": f"Deal {n}", "stage": stages["Lead"], "amount": 100}, acting=rep) for n in range(3)
        ]
        move_deal(made[2].pk, stages["Won"], acting=rep)
    before = [columns(port, deal) for deal in made]
    done = run(port, port.rep, "deal", "stage", made, stage=str(stages["Lost"]), close_reason="Price")
    assert {(port.fresh(deal).status, port.fresh(deal).close_reason) for deal in made} == {("lost", "Price")}
    back = undo(port, port.rep, done)
    assert (back.changed, back.refused) == (3, 0)
    after = [columns(port, deal) for deal in made]
    assert [{n: (a, b) for n, a in x.items() if a != (b := y[n])} for x, y in zip(after, before, strict=True)] == [
        {}
    ] * 3
    with port.org.system():
        assert StageChange.objects.filter(undoes__isnull=False).count() == 3
        names = list(OutboxEvent.objects.filter(record=None, name="deal.stage_changed").values_list("name", flat=True))
    assert len(names) == 2  # there and back, all in one pipeline
    assert undo(port, port.rep, back).changed == 3
    assert {port.fresh(deal).status for deal in made} == {"lost"}


def test_values_that_are_one_of_a_kind_are_claimed_again(port: Harbour):
    with port.org.acting(port.admin) as admin:
        create_field("vessel", FieldSettings(label="Hull", unique=True), acting=admin)
        made = Vessel.objects.create(name="One", owner=port.rep)
        update_record(registry.get("vessel"), made.pk, {"name": "One"}, acting=admin)
    with port.org.acting(port.rep) as rep, change_set("bulk_edit", "Hulls", acting=rep) as written:
        update_record(schema.record_type("vessel", rep), made.pk, {"hull": "X1"}, acting=rep)
    with port.org.acting(port.rep) as rep:
        undone = undo_change_set(written.pk, acting=rep)
    assert (undone.changed, port.fresh(made).custom) == (1, {})
    with port.org.system():
        assert UniqueValue.objects.count() == 0
    undo(port, port.rep, undone)
    assert port.fresh(made).custom == {"hull": "X1"}
    with port.org.system():
        assert UniqueValue.objects.count() == 1


def test_secret_columns_stay(port: Harbour):
    ship = port.vessel("Ship", secret_code="hush")
    done = run(port, port.rep, "vessel", "set", [ship], crew=3)
    with port.org.system():
        Vessel.objects.filter(pk=ship.pk).update(secret_code="new")
    assert undo(port, port.rep, done).changed == 1
    assert port.fresh(ship).secret_code == "new"


def test_somebody_else_s_deleted_record_is_no_business_of_the_undo(port: Harbour):
    ship = port.vessel("Ship")
    done = run(port, port.admin, "vessel", "set", [ship], crew=3)
    with port.org.acting(port.rep) as rep:
        delete_record("vessel", ship.pk, acting=rep)
    back = undo(port, port.admin, done)
    assert (back.changed, refused(port, back)) == (0, [(str(ship.pk), "Deleted since")])


def test_deals_are_deleted_and_restored_in_batches(port: Harbour):
    with port.org.system() as system:
        create_default_pipeline(acting=system)
    with port.org.acting(port.rep) as rep:
        made = [create_deal({"name": f"Deal {n}"}, acting=rep) for n in range(3)]
    done = run(port, port.rep, "deal", "delete", made)
    assert undo(port, port.rep, done).changed == 3
    with port.org.system():
        for name in ("deal.deleted", "deal.restored"):
            event = OutboxEvent.objects.get(name=name)
            assert sorted(event.payload["records"]) == sorted(str(deal.pk) for deal in made)
            assert event.payload["owners"] == [str(port.rep.pk)]


def test_an_import_is_taken_back(port: Harbour):
    with port.org.acting(port.rep) as rep:
        known = create_contact(NewContact(last_name="Known", emails=(EmailValue("known@quay.example"),)), acting=rep)
    text = b"First Name,Last Name,Email,Job Title\nIna,New,ina@quay.example,Boss\n,Known,known@quay.example,Chief\n"
    job = imported(port, text)
    with port.org.system():
        made = Contact.objects.get(last_name="New")
    assert port.fresh(known).title == "Chief"
    with port.org.acting(port.rep) as rep:
        back = undo_change_set(job.change_set_id, acting=rep)
    assert (back.changed, back.refused) == (2, 0)
    assert port.fresh(known).title == ""
    assert port.fresh(made).deleted_at is not None
    page = client_for(port.rep).get(f"/w/{port.org.slug}/changes/{job.change_set_id}/").content.decode()
    assert "These changes were undone." in page


def test_records_of_a_leaver_go_back_when_they_are_active_again(port: Harbour):
    made = people(port, 2)
    with port.org.acting(port.admin) as admin:
        deactivate_member(port.rep.pk, acting=admin, reassign_to=port.stranger.pk)
    assert {port.fresh(contact).owner_id for contact in made} == {port.stranger.pk}
    with port.org.acting(port.admin) as admin:
        reactivate_member(port.rep.pk, acting=admin)
        handed = ChangeSet.objects.get(kind="reassign")
        back = undo_change_set(handed.pk, acting=admin)
    assert (back.changed, back.refused) == (2, 0)
    assert {port.fresh(contact).owner_id for contact in made} == {port.rep.pk}
