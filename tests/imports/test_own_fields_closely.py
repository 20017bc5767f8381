"""What an import does with own fields at the edges: nothing is overwritten, lost, or left lying in plain text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.actions import imports
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Account, Contact, ImportRow
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions.fields import FieldSettings, Option, set_field_access, update_field
from crm.models import Membership, Organization
from crm.records import custom, schema
from deals.actions.pipelines import create_pipeline
from deals.models import Deal
from tests.imports.test_contacts import counts, upload
from tests.imports.test_own_fields import Office
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def office() -> Office:
    return Office()


def contact(office: Office, name: str, **more: Any) -> Contact:
    address = EmailValue(f"{name.lower()}@fjord.example", is_primary=True)
    with office.org.acting(office.rep) as acting:
        return create_contact(NewContact(last_name=name, emails=(address,), **more), acting=acting)


def opened(office: Office, record: Contact) -> dict[str, Any]:
    with office.org.acting(office.rep) as acting:
        return custom.opened(schema.record_type("contact", acting), record.pk, acting)


def preview(office: Office, text: str) -> list[tuple[str, str]]:
    with office.org.acting(office.rep) as acting:
        found = imports.preview_import(upload(text, acting).pk, acting=acting)
        return [(result.outcome, result.reason) for _raw, _parsed, result in found]


def kept(office: Office) -> list[tuple[str, str]]:
    with office.org.system():
        return list(ImportRow.objects.order_by("line").values_list("outcome", "reason"))


def page(office: Office, job: Any, path: str = "", by: Membership | None = None) -> str:
    response = client_for(by or office.rep).get(f"/w/{office.org.slug}/imports/{job.pk}/{path}")
    return b"".join(response).decode() if response.streaming else response.content.decode()


# ---------------------------------------------------------------- nothing is overwritten


def test_encrypted_values_zero_and_no_are_values_and_stay(office):
    office.add("Passport", encrypted=True)
    office.add("Score there", "number")
    office.add("VIP", "checkbox")
    amund = contact(office, "Amund", custom={"passport": "OLD", "score_there": 0, "vip": False})
    birte = contact(office, "Birte")
    version = amund.version
    job = office.run(
        "Last Name,Email,Passport,Score there,VIP\n"
        "Amund,amund@fjord.example,NEW,7,yes\n"
        "Birte,birte@fjord.example,NEW,7,yes\n"
    )
    assert counts(job) == (0, 1, 1, 0)
    assert office.customs() == [{"score_there": 0, "vip": False}, {"score_there": 7, "vip": True}]
    assert [opened(office, amund), opened(office, birte)] == [{"passport": "OLD"}, {"passport": "NEW"}]
    with office.org.system():
        assert Contact.objects.get(pk=amund.pk).version == version


# ---------------------------------------------------------------- accounts that the rules refuse


@pytest.mark.parametrize("header", ["Last Name,Company Name\nAmund,Fjord\nBirte,\n"])
def test_a_contact_whose_account_is_refused_comes_in_without_it_and_the_report_says_so(office, header):
    office.add("Segment", record_type="account", required=True)
    note = "Without its account “Fjord”: “Segment” is required."
    assert preview(office, header) == [("created", note), ("created", "")]
    job = office.run(header)
    assert (counts(job), kept(office)) == ((2, 0, 0, 0), [("created", note)])
    with office.org.system():
        assert (Account.objects.count(), Contact.objects.filter(account=None).count()) == (0, 2)
    assert "Imported, but not all of it" in page(office, job)
    assert note in page(office, job)
    assert page(office, job, "rows/noted.csv").splitlines()[1:] == [f"Amund,Fjord,2,{note}"]


def test_so_does_a_known_contact_and_a_deal(office):
    office.add("Segment", record_type="account", required=True)
    contact(office, "Amund")
    with office.org.acting(office.admin) as acting:
        create_pipeline("Sales", acting=acting)
    note = "Without its account “Fjord”: “Segment” is required."
    job = office.run("Last Name,Email,City,Company Name\nAmund,amund@fjord.example,Bergen,Fjord\n")
    assert (counts(job), kept(office)) == ((0, 1, 0, 0), [("updated", note)])
    job = office.run("Deal Name,Deal Stage,Amount,Associated Company\nQuay,Lead,1000,Fjord\n")
    assert (counts(job), kept(office)) == ((1, 0, 0, 0), [("updated", note), ("created", note)])
    with office.org.system():
        assert list(Deal.objects.values_list("name", "account")) == [("Quay", None)]


# ---------------------------------------------------------------- members and records


def test_members_are_found_by_address_or_name(office):
    ada = office.org.member("rep", "Ada Lind")
    twins = [office.org.member("rep", "Tor Vik") for _n in range(2)]
    gone = office.org.member("rep", "Gro Gone")
    with office.org.system():
        Membership.objects.filter(pk=gone.pk).update(active=False)
    office.add("Buddy", "member", required=True)
    job = office.run(
        "Last Name,Buddy\n"
        f"A,{ada.user.email.upper()}\n"
        "B,ada  lind\n"
        "C,Tor Vik\n"
        f"D,{twins[1].user.email}\n"
        "E,Gro Gone\n"
        "F,\n"
    )
    assert counts(job) == (3, 0, 0, 3)
    assert [own["buddy"] for own in office.customs()] == [str(ada.pk), str(ada.pk), str(twins[1].pk)]
    assert office.reasons(job) == [
        "Buddy: “Tor Vik” could be several members. Write their e-mail address.",
        "Buddy: “Gro Gone” is nobody here.",
        "“Buddy” is required.",
    ]


def test_records_are_found_by_name_address_or_domain_among_those_that_the_importer_sees(office):
    stranger = office.org.member("rep")
    with office.org.acting(office.rep) as acting:
        fjord = create_account(NewAccount(name="Fjord AS", domains=("fjord.example",)), acting=acting)
        twins = [create_account(NewAccount(name="Twin"), acting=acting, override_duplicate=True) for _n in range(2)]
    with office.org.acting(stranger) as acting:
        create_account(NewAccount(name="Hidden"), acting=acting)
    boss = contact(office, "Boss")
    office.add("Bank", "lookup", target="account")
    office.add("Reports to", "lookup", target="contact")
    job = office.run(
        "Last Name,Bank,Reports to\n"
        "A,fjord  as,boss\n"
        "B,FJORD.example,Boss@fjord.example\n"
        "C,Twin,\n"
        "D,Hidden,\n"
        "E,,Nobody\n"
    )
    assert (len(twins), counts(job)) == (2, (2, 0, 0, 3))
    both = {"bank": str(fjord.pk), "reports_to": str(boss.pk)}
    assert office.customs() == [both, both, {}]
    assert office.reasons(job) == [
        "Bank: “Twin” could be several accounts.",
        "Bank: “Hidden” is none of the accounts here.",
        "Reports to: “Nobody” is none of the contacts here.",
    ]


def test_an_address_that_a_role_does_not_see_finds_nobody(office):
    contact(office, "Boss")
    office.add("Reports to", "lookup", target="contact")
    with office.org.acting(office.admin) as acting:
        set_field_access("contact", "email", {"rep": "hidden"}, acting=acting)
    job = office.run("First Name,Last Name,Reports to\nA,A,boss@fjord.example\n")
    assert counts(job) == (0, 0, 0, 1)
    assert office.reasons(job) == ["Reports to: “boss@fjord.example” is none of the contacts here."]


def test_many_cells_are_looked_up_at_once(office):
    office.add("Bank", "lookup", target="account")
    office.add("Buddy", "member")
    numbers = []
    for count in (15, 45):
        with office.org.acting(office.rep) as acting:
            for n in range(count):
                create_account(NewAccount(name=f"Bank {count} {n}"), acting=acting)
        rows = "".join(f"P{count}{n},Bank {count} {n},{office.rep.user.email}\n" for n in range(count))
        with CaptureQueriesContext(connection) as captured:
            assert counts(office.run(f"Last Name,Bank,Buddy\n{rows}")) == (count, 0, 0, 0)
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]


# ---------------------------------------------------------------- choices


def test_what_people_read_comes_before_the_value_behind_it(office):
    for label, kind in (("Tier", "choice"), ("Tiers", "multi_choice")):
        row = office.add(label, kind, options=[Option("Gold")])
        with office.org.acting(office.admin) as acting:
            options = [Option("Premium", value="gold"), Option("Gold")]
            update_field(row.pk, FieldSettings(label=label, options=options), acting=acting)
    office.run(
        "Last Name,Tier,Tiers\nA,Gold,Gold\nB,gold,gold; Premium\nC,GOLD,GOLD\nD,premium,PREMIUM\nE,gold_2,gold_2\n"
    )
    assert office.customs() == [
        {"tier": "gold_2", "tiers": ["gold_2"]},
        {"tier": "gold_2", "tiers": ["gold", "gold_2"]},
        {"tier": "gold_2", "tiers": ["gold_2"]},
        {"tier": "gold", "tiers": ["gold"]},
        {"tier": "gold_2", "tiers": ["gold_2"]},
    ]


# ---------------------------------------------------------------- the edges of time


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_moments_that_can_not_be_kept_are_refused_and_the_others_are_read_again(office, zone):
    with office.org.system():
        Organization.objects.filter(pk=office.org.id).update(time_zone=zone)
    office.add("Seen", "datetime")
    office.add("Founded", "date")
    rows = ["0001-01-01 00:00", "0202-03-04 10:00", "9999-12-31 23:59", "1850-03-04 10:00"]
    text = "Last Name,Seen,Founded\n" + "".join(f"P{n},{row},0202-03-04\n" for n, row in enumerate(rows))
    outcomes = ["failed", "failed", "failed", "created"]
    assert [outcome for outcome, _reason in preview(office, text)] == outcomes
    assert counts(office.run(text)) == (1, 0, 0, 3)
    with office.org.acting(office.rep) as acting:
        made = Contact.objects.get()
        kind = schema.record_type("contact", acting)
        seen = [kind.field(key) for key in ("seen", "founded")]
        assert [custom.stored.read(field, made.custom).year for field in seen] == [1850, 202]


# ---------------------------------------------------------------- what is kept of rows that are not in


def test_encrypted_columns_of_failed_rows_are_kept_encrypted_and_come_back_in_the_download(office):
    office.add("Passport", encrypted=True)
    office.add("Secret number", "number", encrypted=True)
    job = office.run("Last Name,Email,Passport,Secret number\nA,nonsense,X-77,\nB,,X-88,seven\n")
    assert counts(job) == (0, 0, 0, 2)
    with office.org.system():
        cells = list(ImportRow.objects.order_by("line").values_list("cells", "reason"))
    assert [row[:2] for row, _reason in cells] == [["A", "nonsense"], ["B", ""]]
    text = json.dumps(cells)
    assert [secret in text for secret in ("X-77", "X-88", "seven")] == [False, False, False]
    assert office.reasons(job)[1] == "Secret number: The value can't be understood."
    lines = page(office, job, "rows/failed.csv").splitlines()[1:]
    assert [line.split(",")[:4] for line in lines] == [["A", "nonsense", "X-77", ""], ["B", "", "X-88", "seven"]]
    assert not default_storage.exists(job.stored_as)


def test_who_does_not_see_the_field_any_more_downloads_the_rows_without_it(office):
    office.add("Passport", encrypted=True)
    job = office.run("Last Name,Email,Passport\nA,nonsense,X-77\n")
    with office.org.acting(office.admin) as acting:
        set_field_access("contact", "passport", {"rep": "hidden"}, acting=acting)
    lines = {by: page(office, job, "rows/failed.csv", by).splitlines()[1] for by in (office.rep, office.admin)}
    assert [line.split(",")[:3] for line in lines.values()] == [["A", "nonsense", ""], ["A", "nonsense", "X-77"]]


def test_the_file_of_an_import_without_such_columns_stays(office):
    job = office.run("Last Name,Email\nA,nonsense\n")
    assert default_storage.exists(job.stored_as)
    assert page(office, job, "rows/failed.csv").splitlines()[1].split(",")[:2] == ["A", "nonsense"]
