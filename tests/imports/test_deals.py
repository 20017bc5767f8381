"""Importing deals: stages, closing, currencies, accounts and contacts."""

import pytest

from contacts.actions import imports
from contacts.actions.contacts import create_contact
from contacts.imports import planning, targets
from contacts.values import EmailValue, NewContact
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, DealContact
from tests.factories import make_org
from tests.imports.test_contacts import counts, run, upload

pytestmark = pytest.mark.django_db(transaction=True)

PIPEDRIVE = (
    "Deal - ID,Deal - Title,Deal - Owner,Deal - Value,Deal - Currency of Value,Deal - Organization,Deal - Contact person,"
    "Deal - Stage,Deal - Status,Deal - Expected close date,Deal - Won time,Deal - Lost reason\n"
    '1,Yard crane,Maya Okafor,"1,234.50",EUR,Nordhavn Ports,Hanne Vik,Proposal,open,2026-12-19,,\n'
    "2,Sorter lease,Maya Okafor,500,USD,Kestrel Air Cargo,,Negotiation,won,2026-01-10,2026-01-12 10:00,\n"
    "3,Kiosk,Maya Okafor,70,Kroner,,,Demo done,lost,,,Too dear\n"
    "4,,Maya Okafor,70,EUR,,,Proposal,open,,,\n"
    "5,Bad amount,Maya Okafor,about ten,EUR,,,Proposal,open,,,\n"
    "1,Yard crane again,Maya Okafor,1,EUR,,,Proposal,open,,,\n"
)


@pytest.fixture
def shop():
    org = make_org()
    maya = org.member("rep", name="Maya Okafor")
    with org.system() as system:
        create_default_pipeline(acting=system)
    return org, maya


def questions(job, actor):
    return planning.questions_of(job, targets.get("deal"), actor)


def test_import_of_pipedrive_deals(shop):
    org, maya = shop
    with org.acting(maya) as actor:
        hanne = create_contact(
            NewContact(first_name="Hanne", last_name="Vik", emails=(EmailValue("h@nordhavn.example"),)), acting=actor
        )
        job = upload(PIPEDRIVE, actor)
        assert (job.source, job.record_type, job.total) == ("pipedrive", "deal", 6)
        asked = {q.key: q for q in questions(job, actor)}
        assert {key: q.values for key, q in asked.items()} == {"currency": ("Kroner",), "stage": ("Demo done",)}
        stage = next(answer for answer, label in asked["stage"].options if label.endswith("Discovery"))
        imports.configure_import(
            job.id, job.mapping, {}, {"currency": {"Kroner": "NOK"}, "stage": {"Demo done": stage}}, acting=actor
        )
        job.refresh_from_db()
        job = run(job, actor)
        assert counts(job) == (3, 0, 1, 2)
        deals = {deal.name: deal for deal in Deal.objects.select_related("stage", "account")}
        yard, sorter, kiosk = deals["Yard crane"], deals["Sorter lease"], deals["Kiosk"]
        assert (yard.amount, yard.currency, yard.stage.name, yard.status, yard.account.name) == (
            123450,
            "EUR",
            "Proposal",
            "open",
            "Nordhavn Ports",
        )
        assert list(DealContact.objects.values_list("deal_id", "contact_id")) == [(yard.id, hanne.id)]
        assert (sorter.stage.name, sorter.status, str(sorter.closed_on), sorter.probability) == (
            "Won",
            "won",
            "2026-01-12",
            100,
        )
        assert (kiosk.status, kiosk.close_reason, kiosk.currency, kiosk.probability) == ("lost", "Too dear", "NOK", 0)


def test_import_of_hubspot_deals_suggests_stages_by_their_internal_names(shop):
    org, maya = shop
    text = "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Deal owner\n9,A,qualifiedtobuy,Sales,100,2026-01-31 10:00,Maya Okafor\n10,B,closedwon,Sales,100,,\n11,C,closedlost,Sales,,,\n"
    with org.acting(maya) as actor:
        job = upload(text, actor)
        (question,) = questions(job, actor)
        labels = dict(question.options)
        assert [
            labels[question.suggested[v]].split(" › ")[1] for v in ("qualifiedtobuy", "closedwon", "closedlost")
        ] == ["Discovery", "Won", "Lost"]
        imports.configure_import(job.id, job.mapping, {}, {"stage": question.suggested}, acting=actor)
        job.refresh_from_db()
        assert counts(run(job, actor)) == (3, 0, 0, 0)
        assert sorted(Deal.objects.values_list("name", "status")) == [("A", "open"), ("B", "won"), ("C", "lost")]


def test_import_of_salesforce_opportunities(shop):
    org, maya = shop
    text = "Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,OwnerId,SystemModstamp\n0061,false,001x,Pilot,Proposal,1000.0,2026-02-01,005A,x\n0062,true,001x,Gone,Proposal,1,2026-02-01,005A,x\n"
    with org.acting(maya) as actor:
        job = upload(text, actor)
        assert (job.source, job.record_type) == ("salesforce", "deal")
        imports.configure_import(job.id, job.mapping, {}, {"owner": {"005A": "me"}}, acting=actor)
        job.refresh_from_db()
        assert counts(run(job, actor)) == (1, 0, 1, 0)
        assert Deal.objects.values_list("name", "owner_id", "amount").get() == ("Pilot", maya.id, 100000)
