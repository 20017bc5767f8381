"""Bulk actions on contacts and deals through their pages: stages, lookups, custom fields, and who is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import AccountContact, Contact
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions import bulk
from crm.actions.fields import FieldSettings, Option, create_field, set_field_access
from crm.events.relay import deliver_due
from crm.models import BulkPart, BulkRun, ChangeSet, FieldAccess, Notification
from crm.records.selections import Selection
from crm.tasks.bulk import run as go_on
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Stage
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


def post(port: Harbour, path: str, data: dict[str, Any], member: Any = None) -> Any:
    client: Client = client_for(member or port.rep)
    return client.post(f"/w/{port.org.slug}/records/{path}", data)


def people(port: Harbour, count: int = 3) -> list[Contact]:
    with port.org.acting(port.rep) as rep:
        return [create_contact(NewContact(last_name=f"Person {n}"), acting=rep) for n in range(count)]


@pytest.fixture
def stages(port: Harbour) -> dict[str, Any]:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
        return dict(Stage.objects.values_list("name", "pk"))


def deals(port: Harbour, count: int = 3) -> list[Deal]:
    with port.org.acting(port.rep) as rep:
        return [create_deal({"name": f"Deal {n}"}, acting=rep) for n in range(count)]


def test_deals_are_moved_on_top_of_the_column_in_order(port: Harbour, stages: dict[str, Any]):
    with port.org.acting(port.rep) as rep:
        create_deal({"name": "There", "stage": stages["Proposal"]}, acting=rep)
    made = deals(port)
    ids = [deal.pk for deal in made]
    assert post(port, "deal/bulk/stage/", {"bulk-id": ids, "stage": stages["Proposal"]}).status_code == 302
    with port.org.system():
        column = Deal.objects.filter(stage_id=stages["Proposal"]).order_by("position").values_list("name", flat=True)
        assert list(column) == ["Deal 2", "Deal 1", "Deal 0", "There"]


def test_lost_deals_want_a_reason(port: Harbour, stages: dict[str, Any]):
    made = deals(port)
    answer = post(port, "deal/bulk/stage/", {"bulk-id": [deal.pk for deal in made], "stage": stages["Lost"]})
    page = client_for(port.rep).get(answer["Location"]).content.decode()
    assert "Choose or write a reason." in page
    assert {(port.fresh(deal).status, port.fresh(deal).version) for deal in made} == {("open", 1)}
    ids = [deal.pk for deal in made]
    post(port, "deal/bulk/stage/", {"bulk-id": ids, "stage": stages["Lost"], "close_reason": "Price"})
    assert {(port.fresh(deal).status, port.fresh(deal).close_reason) for deal in made} == {("lost", "Price")}


def test_stage_is_asked_for(port: Harbour, stages: dict[str, Any]):
    (deal,) = deals(port, 1)
    assert post(port, "deal/bulk/stage/", {"bulk-id": [deal.pk], "stage": ""}).status_code == 422
    assert port.fresh(deal).version == 1
    assert post(port, "contact/bulk/stage/", {"bulk-id": [people(port, 1)[0].pk], "stage": "x"}).status_code == 403


def test_contacts_get_an_account(port: Harbour):
    made = people(port)
    with port.org.acting(port.rep) as rep:
        account = create_account(NewAccount(name="Halden"), acting=rep)
    ids = [contact.pk for contact in made]
    post(port, "contact/bulk/set/", {"bulk-id": ids, "bulk-field": "account", "account": account.pk})
    assert {port.fresh(contact).account_id for contact in made} == {account.pk}
    with port.org.system():
        assert AccountContact.objects.filter(is_primary=True, account=account).count() == 3


def test_custom_fields_are_set_by_their_rules(port: Harbour):
    with port.org.acting(port.admin) as admin:
        options = (Option(label="Gold"), Option(label="Tin"))
        create_field(
            "contact", FieldSettings(label="Tier", kind="choice", options=options, required=True), acting=admin
        )
        create_field("contact", FieldSettings(label="Since", kind="date"), acting=admin)
        create_field("contact", FieldSettings(label="Code", unique=True), acting=admin)
        create_field("contact", FieldSettings(label="Passport", encrypted=True), acting=admin)
    made = people_without_checks(port)
    ids = [contact.pk for contact in made]
    form = client_for(port.rep).get(f"/w/{port.org.slug}/records/contact/bulk/set/?bulk-id={ids[0]}").content.decode()
    offered = [label for label in ("Tier", "Since", "Code", "Passport", "Email") if f">{label}</option>" in form]
    assert offered == ["Tier", "Since"]
    given = {"bulk-id": ids, "bulk-field": "tier"}
    assert post(port, "contact/bulk/set/", {**given, "tier": ""}).status_code == 422
    assert post(port, "contact/bulk/set/", {**given, "tier": "gold"}).status_code == 302
    assert (
        post(port, "contact/bulk/set/", {"bulk-id": ids, "bulk-field": "since", "since": "2026-02-03"}).status_code
        == 302
    )
    assert [port.fresh(contact).custom for contact in made] == [{"tier": "gold", "since": "2026-02-03"}] * 2


def people_without_checks(port: Harbour) -> list[Contact]:
    with port.org.system():
        return [Contact.objects.create(last_name=f"Person {n}", owner=port.rep) for n in range(2)]


def test_field_that_a_role_does_not_see_is_no_field_of_its_bulk_actions(port: Harbour):
    with port.org.acting(port.admin) as admin:
        made = create_field("contact", FieldSettings(label="Margin"), acting=admin)
        FieldAccess.objects.create(record_type="contact", field_key=made.key, role="rep", level="hidden")
        type(port.org.organization).objects.filter(pk=port.org.id).update(schema_version=99)
    (contact,) = people_without_checks(port)[:1]
    given = {"bulk-id": [contact.pk], "bulk-field": "margin", "margin": "9"}
    post(port, "contact/bulk/set/", given)
    assert port.fresh(contact).custom == {}
    post(port, "contact/bulk/set/", given, port.admin)
    assert port.fresh(contact).custom == {"margin": "9"}
    with port.org.system():
        assert "Margin" not in ChangeSet.objects.get().label


@pytest.mark.parametrize("key", ["contact", "vessel"])
def test_field_that_is_closed_meanwhile_is_changed_no_further(port: Harbour, monkeypatch: pytest.MonkeyPatch, key: str):
    monkeypatch.setattr(bulk, "PART", 100)
    model, field = (Contact, "title") if key == "contact" else (Vessel, "flag")
    name, value = ("last_name", "Chief") if key == "contact" else ("name", "pa")
    with port.org.system():
        made = model.objects.bulk_create(model(**{name: f"No {n}"}, owner=port.rep) for n in range(250))
    with port.org.acting(port.rep) as rep:
        chosen = Selection(tuple(record.pk for record in made))
        run = bulk.start_bulk(key, "set", {field: value}, chosen, acting=rep)
        bulk.run_part(run.pk, acting=rep)
    with port.org.acting(port.admin) as admin:
        set_field_access(key, field, {"rep": "read"}, acting=admin)
    go_on(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(port.rep.pk))
    with port.org.system():
        done = BulkRun.objects.get(pk=run.pk)
        assert (done.status, done.changed, done.refused) == ("done", 100, 150)
        assert model.objects.filter(**{field: value}).count() == 100


def test_result_names_nobody_by_an_address_that_its_reader_does_not_see(port: Harbour):
    with port.org.acting(port.rep) as rep:
        nameless = create_contact(NewContact(emails=(EmailValue("ina@quay.example"),)), acting=rep)
    with port.org.acting(port.rep) as rep:
        run = bulk.start_bulk("contact", "set", {"title": "Chief"}, Selection((nameless.pk,)), acting=rep)
    with port.org.system():
        BulkPart.objects.filter(run=run).update(refused=[[str(nameless.pk), "Changed since"]])
    page = f"/w/{port.org.slug}/bulk/{run.pk}/"
    assert "ina@quay.example" in client_for(port.rep).get(page).content.decode()
    with port.org.acting(port.admin) as admin:
        set_field_access("contact", "email", {"rep": "hidden"}, acting=admin)
    shown = client_for(port.rep).get(page).content.decode()
    assert "ina@quay.example" not in shown
    assert "(no name)" in shown


def test_new_owner_is_told_once(port: Harbour):
    made = people(port, 3)
    post(port, "contact/bulk/assign/", {"bulk-id": [contact.pk for contact in made], "owner": port.manager.pk})
    deliver_due()
    with port.org.system():
        told = list(Notification.objects.values_list("member", "kind", "data__count"))
        assert BulkRun.objects.get().changed == 3
        notification = Notification.objects.get()
    assert told == [(port.manager.pk, "records.assigned", 3)]
    client = client_for(port.manager)
    assert "gave you" in client.get(f"/w/{port.org.slug}/notifications/").content.decode()
    assert client.get(f"/w/{port.org.slug}/notifications/{notification.pk}/")["Location"].endswith(
        "/contacts/?owner=me"
    )
