"""Columns of a file that fill an organisation's own fields."""

from __future__ import annotations

from typing import Any

import pytest

from contacts.actions import imports
from contacts.actions.contacts import create_contact
from contacts.imports import planning
from contacts.imports.own import target_of
from contacts.models import Contact, ImportRow
from contacts.values import EmailValue, NewContact
from crm.actions.fields import FieldSettings, Option, create_field, delete_field, set_field_access
from crm.lib.errors import Invalid
from crm.models import CustomField
from deals.actions.pipelines import create_pipeline
from deals.models import Deal
from tests.factories import make_org
from tests.imports.test_contacts import counts, upload

pytestmark = pytest.mark.django_db(transaction=True)
TIERS = (Option("Gold", "amber"), Option("Silver", "gray"))


class Office:
    """An organisation with an admin and a rep who imports."""

    def __init__(self) -> None:
        self.org = make_org()
        self.rep, self.admin = self.org.member("rep"), self.org.member("admin")

    def add(self, label: str, kind: str = "text", record_type: str = "contact", **more: Any) -> CustomField:
        with self.org.acting(self.admin) as acting:
            return create_field(record_type, FieldSettings(label=label, kind=kind, **more), acting=acting)

    def run(self, text: str) -> Any:
        with self.org.acting(self.rep) as actor:
            job = upload(text, actor)
            imports.start_import(job.id, acting=actor)
            settings = imports.prepared(job, target_of(job.record_type, actor), actor)
            with planning.open_file(job) as file:
                rows = list(planning.rows_of(job, file))
            assert imports.import_chunk(job.id, rows, settings, acting=actor, done_before=0)
            imports.finish_import(job.id, acting=actor)
            job.refresh_from_db()
            return job

    def reasons(self, job: Any) -> list[str]:
        with self.org.system():
            return list(
                ImportRow.objects.filter(job=job, outcome="failed").order_by("line").values_list("reason", flat=True)
            )

    def customs(self) -> list[Any]:
        with self.org.system():
            return list(Contact.objects.order_by("last_name").values_list("custom", flat=True))


@pytest.fixture
def office() -> Office:
    return Office()


def test_columns_fill_the_fields_of_their_names_by_type(office):
    for label, kind in (("Customer number", "text"), ("Since", "date"), ("Score there", "number"), ("VIP", "checkbox")):
        office.add(label, kind)
    office.add("Budget", "money")
    office.add("Tier", "choice", options=TIERS)
    office.add("Regions", "multi_choice", options=(Option("North"), Option("South")))
    job = office.run(
        "Last Name,Customer number,since,Score there,VIP,Budget,Tier,Regions\n"
        'Amund,K-1,31/12/2025,12.5,yes,"$1,200.50",gold,North; South\n'
        "Birte,,,,,,,\n"
    )
    assert counts(job) == (2, 0, 0, 0)
    assert office.customs() == [
        {
            "customer_number": "K-1", "since": "2025-12-31", "score_there": 12.5, "vip": True, "tier": "gold",
            "budget": {"amount": 120_050, "currency": "USD"}, "regions": ["north", "south"],
        },
        {},
    ]  # fmt: skip


def test_rows_with_values_that_a_field_does_not_take_are_refused_with_the_reason(office):
    office.add("Tier", "choice", options=TIERS)
    office.add("Since", "date")
    office.add("Customer number", unique=True)
    job = office.run(
        "Last Name,Email,Tier,Since,Customer number\n"
        "Amund,,bronze,,\n"
        "Birte,,,soon,\n"
        "Carl,c@fjord.example,,,K-1\n"
        "Dag,,,,k-1\n"
    )
    assert counts(job) == (1, 0, 0, 3)
    assert ["bronze" in office.reasons(job)[0], "soon" in office.reasons(job)[1], len(office.reasons(job))] == [
        True,
        True,
        3,
    ]
    assert office.customs() == [{"customer_number": "K-1"}]


def test_a_row_of_a_known_contact_fills_its_empty_fields_only(office):
    office.add("Territory")
    office.add("Customer number", unique=True)
    with office.org.acting(office.rep) as acting:
        for name, own in (("Amund", {"territory": "North"}), ("Birte", {"customer_number": "K-1"})):
            address = EmailValue(f"{name.lower()}@fjord.example", is_primary=True)
            create_contact(NewContact(last_name=name, emails=(address,), custom=own), acting=acting)
    job = office.run(
        "Last Name,Email,Territory,Customer number\n"
        "Amund,amund@fjord.example,South,K-1\n"
        "Birte,birte@fjord.example,West,\n"
    )
    assert counts(job) == (0, 1, 0, 1)
    assert office.customs() == [{"territory": "North"}, {"customer_number": "K-1", "territory": "West"}]


def test_what_a_role_may_not_write_is_no_column_of_theirs(office):
    office.add("Territory")
    with office.org.acting(office.admin) as acting:
        set_field_access("contact", "territory", {"rep": "read"}, acting=acting)
    job = office.run("Last Name,Territory\nAmund,North\n")
    assert (job.mapping, counts(job), office.customs()) == ({"0": "last_name"}, (1, 0, 0, 0), [{}])
    with office.org.acting(office.rep) as acting:
        fresh = upload("Last Name,Territory\nBirte,North\n", acting)
        with pytest.raises(Invalid):
            imports.configure_import(fresh.id, {"0": "last_name", "1": "custom.territory"}, {}, {}, acting=acting)


def test_a_field_that_is_deleted_before_the_import_runs_is_left_out(office):
    row = office.add("Territory")
    with office.org.acting(office.rep) as acting:
        job = upload("Last Name,Territory\nAmund,North\n", acting)
        assert job.mapping == {"0": "last_name", "1": "custom.territory"}
    with office.org.acting(office.admin) as acting:
        delete_field(row.pk, acting=acting)
    with office.org.acting(office.rep) as acting:
        preview = imports.preview_import(job.id, acting=acting)
    assert [result.outcome for _raw, _parsed, result in preview] == ["created"]


def test_deals_take_them_too(office):
    office.add("Segment", record_type="deal", required=True)
    with office.org.acting(office.admin) as acting:
        create_pipeline("Sales", acting=acting)
    job = office.run("Deal Name,Deal Stage,Amount,Segment\nQuay,Lead,1000,Ports\nPier,Lead,1000,\n")
    assert (job.record_type, counts(job)) == ("deal", (1, 0, 0, 1))
    with office.org.system():
        assert list(Deal.objects.values_list("name", "custom")) == [("Quay", {"segment": "Ports"})]


def test_a_phone_number_without_a_digit_is_refused(office):
    office.add("Reception", "phone")
    job = office.run("Last Name,Email,Reception\nAmund,a@fjord.example,abc\nBirte,b@fjord.example,+47 22 12 34 56 x9\n")
    assert (counts(job), office.customs()) == ((1, 0, 0, 1), [{"reception": "+4722123456 x9"}])
    assert ["phone number" in reason for reason in office.reasons(job)] == [True]
