"""What an undo takes back in part, or not: chosen records, broken-off undos, and rules that old values would break."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contacts.actions.accounts import create_account, update_account
from contacts.models import Contact
from contacts.values import NewAccount
from crm.actions import bulk
from crm.actions.fields import FieldSettings, create_field
from crm.actions.undo import undo_change_set
from crm.audit import change_set
from crm.lib.errors import Conflict
from crm.models import BulkRun, UniqueValue
from crm.records import schema
from crm.records.actions import update_record
from crm.records.bulk import Edit
from crm.records.custom import digest_of
from crm.tasks.bulk import run as go_on
from deals.actions.deals import create_deal, update_deal
from deals.actions.pipelines import create_default_pipeline
from deals.actions.stages import move_deal
from deals.models import Stage
from tests.records.harbour import Harbour
from tests.records.test_undo import imported, refused, run, undo
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


def test_some_records_go_back_and_the_others_later(port: Harbour):
    ships = [port.vessel(f"Ship {n}", crew=n) for n in range(3)]
    done = run(port, port.rep, "vessel", "set", ships, crew=9)
    page = f"/w/{port.org.slug}/changes/{done.change_set_id}/"
    client = client_for(port.rep)
    assert client.get(page).content.decode().count('name="only"') == 3
    assert client.post(page + "undo/", {"some": "1"}).status_code == 422
    assert client.post(page + "undo/", {"some": "1", "only": [str(port.org.id), "x"]}).status_code == 422
    assert [port.fresh(ship).crew for ship in ships] == [9, 9, 9]
    assert client.post(page + "undo/", {"some": "1", "only": [str(ships[1].pk)]})["Location"] == page
    assert [port.fresh(ship).crew for ship in ships] == [9, 1, 9]
    back = undo(port, port.rep, done)
    assert (back.changed, back.unchanged) == (2, 1)
    assert [port.fresh(ship).crew for ship in ships] == [0, 1, 2]
    with pytest.raises(Conflict):
        undo(port, port.rep, done)


def test_an_undo_that_was_broken_off_is_done_again(port: Harbour, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk, "PART", 100)
    with port.org.system():
        Vessel.objects.bulk_create(Vessel(name=f"Ship {n}", owner=port.rep, crew=1) for n in range(250))
        ships = list(Vessel.objects.order_by("pk"))
    done = run(port, port.rep, "vessel", "set", ships, crew=9)
    go_on(org_id=str(port.org.id), run_id=str(done.pk), member_id=str(port.rep.pk))
    back = undo(port, port.rep, done)
    with port.org.acting(port.rep) as rep:
        bulk.run_part(back.pk, acting=rep)
        bulk.cancel_run(back.pk, acting=rep)
    go_on(org_id=str(port.org.id), run_id=str(back.pk), member_id=str(port.rep.pk))
    with port.org.system():
        assert sorted(Vessel.objects.values_list("crew", flat=True)) == [1] * 100 + [9] * 150
    again = undo(port, port.rep, done)
    go_on(org_id=str(port.org.id), run_id=str(again.pk), member_id=str(port.rep.pk))
    with port.org.system():
        assert set(Vessel.objects.values_list("crew", flat=True)) == {1}
        last = BulkRun.objects.get(pk=again.pk)
        assert (last.changed, last.unchanged, last.refused) == (150, 100, 0)


def test_an_import_that_goes_on_is_not_taken_back(port: Harbour):
    text = b"First name,Last name,Email\nAnna,Adler,anna@quay.example\n"
    job = imported(port, text)
    with port.org.system():
        job.refresh_from_db()
        type(job).objects.filter(pk=job.pk).update(status="running")
    with pytest.raises(Conflict), port.org.acting(port.rep) as rep:
        undo_change_set(job.change_set_id, acting=rep)
    with port.org.system():
        assert Contact.objects.filter(last_name="Adler").exists()


def test_accounts_do_not_go_back_below_themselves(port: Harbour):
    with port.org.acting(port.rep) as rep:
        top = create_account(NewAccount(name="Top"), acting=rep)
        below = create_account(NewAccount(name="Below", parent_id=top.pk), acting=rep)
    done = run(port, port.rep, "account", "set", [below], parent=None)
    with port.org.acting(port.rep) as rep:
        update_account(top.pk, {"parent": below.pk}, acting=rep)
    back = undo(port, port.rep, done)
    text = "An account can't be above itself. Choose another one."
    assert (back.changed, refused(port, back)) == (0, [(str(below.pk), text)])
    assert (port.fresh(below).parent_id, port.fresh(top).parent_id) == (None, below.pk)


def test_refused_record_keeps_its_value_that_is_one_of_a_kind(port: Harbour):
    with port.org.acting(port.admin) as admin:
        create_field("vessel", FieldSettings(label="Hull", unique=True), acting=admin)
    ships = [port.vessel(name) for name in ("One", "Two", "Three")]
    with port.org.acting(port.rep) as rep:
        kind = schema.record_type("vessel", rep)
        for ship, hull in zip(ships, ("X1", "X2", "X3"), strict=True):
            update_record(kind, ship.pk, {"hull": hull}, acting=rep)
    # One is to have Two's value, which keeps it; Three is to have One's, which One therefore keeps as well.
    with port.org.acting(port.rep) as rep:
        edits = [
            Edit(Vessel.objects.get(pk=ships[0].pk), {"custom": {"hull": "X2"}}),
            Edit(Vessel.objects.get(pk=ships[2].pk), {"custom": {"hull": "X1"}}),
        ]
        bulk.bulk.change(kind, edits, rep)
        assert [edit.open for edit in edits] == [False, False]
    assert [port.fresh(ship).custom for ship in ships] == [{"hull": "X1"}, {"hull": "X2"}, {"hull": "X3"}]
    with port.org.system():
        claims = UniqueValue.objects.values_list("record", "digest")
        assert dict(claims) == {ship.pk: digest_of(hull) for ship, hull in zip(ships, ("X1", "X2", "X3"), strict=True)}


def test_deal_whose_undo_is_refused_keeps_its_claim(port: Harbour):
    with port.org.system() as system:
        create_default_pipeline(acting=system)
        stages = list(Stage.objects.order_by("position"))
    with port.org.acting(port.admin) as admin:
        create_field("deal", FieldSettings(label="Number", unique=True), acting=admin)
    with port.org.acting(port.rep) as rep:
        deal = create_deal({"name": "One", "stage": stages[0].pk, "custom": {"number": "A1"}}, acting=rep)
    with port.org.acting(port.rep) as rep, change_set("bulk_edit", "Both", acting=rep) as made:
        update_deal(deal.pk, {"custom": {"number": "B2"}}, acting=rep)
        move_deal(deal.pk, stages[1].pk, acting=rep)
    with port.org.system():
        Stage.objects.filter(pk=stages[0].pk).update(deleted_at=timezone.now())
    with port.org.acting(port.rep) as rep:
        back = undo_change_set(made.pk, acting=rep)
    assert (back.changed, port.fresh(deal).custom) == (0, {"number": "B2"})
    with port.org.system():
        assert bytes(UniqueValue.objects.get(record=deal.pk).digest) == digest_of("B2")
