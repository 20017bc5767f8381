"""Fields of an organisation's own: made by admins, held on every way in, hidden by role."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from contacts.actions import contacts
from contacts.models import Contact
from contacts.values import NewContact
from crm.actions.bin import delete_record
from crm.actions.fields import (
    FieldSettings,
    update_field,
)
from crm.actions.purge import purge_entries
from crm.lib.errors import CrmError, Forbidden, Invalid, NotFound
from crm.models import AuditEntry, BinEntry, SealedValue, UniqueValue
from crm.records import custom, schema
from crm.records.actions import create_record, update_record
from deals.actions.deals import create_deals
from deals.actions.pipelines import create_pipeline
from deals.models import Deal
from tests.factories import make_org
from tests.records.company import COLOURS, Company
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("text", "  two  words ", "two words"),
        ("text", "", None),
        ("long_text", "one\n two", "one\n two"),
        ("number", "12.50", 12.5),
        ("number", Decimal(7), 7),
        ("percent", "33 %", 33),
        ("money", {"amount": 125_000, "currency": "NOK"}, {"amount": 125_000, "currency": "NOK"}),
        ("money", 99, {"amount": 99, "currency": "EUR"}),
        ("money", "1,200.50 USD", {"amount": 120_050, "currency": "USD"}),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", dt.date(2026, 2, 28), "2026-02-28"),
        ("datetime", "2026-02-28T09:30:00+01:00", "2026-02-28T08:30:00Z"),
        ("checkbox", "yes", True),
        ("checkbox", False, False),
        ("choice", "sea_green", "sea_green"),
        ("choice", "SEA GREEN", "sea_green"),
        ("multi_choice", "Sea green; red", ["red", "sea_green"]),
        ("multi_choice", [], None),
        ("email", "a.b@fjord.example", "a.b@fjord.example"),
        ("phone", "+47 22 12 34 56", "+4722123456"),
        ("phone", "+47 22 12 34 56 ext. 7", "+4722123456 x7"),
        ("phone", "(0)22 / 12-34", "(0)22 / 12-34"),
        ("phone", "Reception 4711", "Reception 4711"),
        ("url", "fjord.example/x", "https://fjord.example/x"),
    ],
)
def test_a_value_is_stored_as_its_type_says(company, kind, given, stored):
    row = company.add("Extra", kind, options=COLOURS if "choice" in kind else ())
    contact = company.contact(extra=given)
    assert company.stored(contact) == ({} if stored is None else {"extra": stored})
    assert company.stored(company.change(contact, extra=None)) == {}
    assert row.key == "extra"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", "x" * 501), ("number", "a few"), ("number", "1e400"), ("number", True), ("percent", "nan"),
        ("money", "12 XYZ"), ("money", {"amount": "x", "currency": "EUR"}), ("date", "2026-02-30"), ("date", "soon"),
        ("datetime", "2026-13-01T00:00"), ("checkbox", "perhaps"), ("choice", "blue"), ("multi_choice", ["red", "blue"]),
        ("multi_choice", 7), ("email", "nobody"), ("phone", "abc"), ("phone", "+"), ("phone", "ask x"), ("url", "javascript:alert(1)"), ("member", "me"),
        ("member", "0193524b-0000-7000-8000-000000000000"), ("lookup", "0193524b-0000-7000-8000-000000000000"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_nothing_written(company, kind, given):
    company.add(
        "Extra", kind, options=COLOURS if "choice" in kind else (), target="account" if kind == "lookup" else ""
    )
    assert list(company.refused(Invalid, extra=given)) == ["extra"]


def test_members_and_records_must_be_there_for_who_writes(company):
    company.add("Second owner", "member")
    company.add("Referred by", "lookup", target="contact")
    mine, theirs = company.contact(), company.contact("manager")
    rep = company.members["rep"]
    made = company.contact(second_owner=rep.pk, referred_by=str(mine.pk))
    assert company.stored(made) == {"second_owner": str(rep.pk), "referred_by": str(mine.pk)}
    with pytest.raises(Invalid) as caught:
        company.change(made, referred_by=theirs.pk)
    assert list(caught.value.fields) == ["referred_by"]
    other = make_org()
    with pytest.raises(Invalid):
        company.change(made, second_owner=other.member("rep").pk)
    assert company.stored(made) == {"second_owner": str(rep.pk), "referred_by": str(mine.pk)}


def test_required_and_default_hold_for_new_records_and_for_changes_of_the_field(company):
    old = company.contact()
    company.add("Territory", required=True)
    company.add("Tier", "choice", options=COLOURS, default="red")
    with pytest.raises(Invalid) as caught:
        company.contact()
    assert list(caught.value.fields) == ["territory"]
    made = company.contact(territory="North")
    assert company.stored(made) == {"territory": "North", "tier": "red"}
    with pytest.raises(Invalid):
        company.change(made, territory=" ")
    assert company.stored(company.change(old, tier="sea_green")) == {"tier": "sea_green"}


def test_a_unique_value_is_one_of_a_kind_in_every_case_of_letters(company):
    company.add("Customer number", unique=True)
    first = company.contact(customer_number="K-1")
    with pytest.raises(Invalid) as caught:
        company.contact(customer_number="k-1")
    assert list(caught.value.fields) == ["customer_number"]
    second = company.contact(customer_number="K-2")
    with pytest.raises(Invalid):
        company.change(second, customer_number="K-1")
    company.change(first, customer_number="K-3")
    assert company.stored(company.change(second, customer_number="K-1")) == {"customer_number": "K-1"}
    with company.acting("rep") as acting:
        rows = [NewContact(last_name=f"N{n}", custom={"customer_number": v}) for n, v in enumerate(("A", "K-3", "a"))]
        made = contacts.create_contacts(rows, acting=acting)
    assert [type(row) for row in made] == [Contact, Invalid, Invalid]
    with company.org.system():
        assert UniqueValue.objects.count() == 3


def test_deleting_for_good_frees_a_unique_value_and_leaves_no_encrypted_one(company):
    company.add("Customer number", unique=True)
    company.add("Passport", encrypted=True)
    contact = company.contact(customer_number="K-1", passport="N-7788")
    with company.acting("admin") as acting:
        delete_record("contact", contact.pk, acting=acting)
        assert (UniqueValue.objects.count(), SealedValue.objects.count()) == (1, 1)
        purge_entries([BinEntry.objects.get(record=contact.pk).pk], acting=acting)
        assert (UniqueValue.objects.count(), SealedValue.objects.count()) == (0, 0)
    assert company.stored(company.contact(customer_number="K-1")) == {"customer_number": "K-1"}


def test_an_encrypted_value_is_in_no_row_and_in_no_audit_entry(company):
    row = company.add("Passport", encrypted=True)
    contact = company.contact(passport="N-7788")
    company.change(contact, passport="N-7799")
    assert company.stored(contact) == {}
    with company.acting("rep") as acting:
        kind = schema.record_type("contact", acting)
        assert custom.opened(kind, contact.pk, acting) == {"passport": "N-7799"}
        assert kind.field("passport").filterable is False
        sealed = SealedValue.objects.get(field=row, record=contact.pk).sealed
        assert "N-77" not in sealed
        assert not [e for e in AuditEntry.objects.all() if "N-77" in str(e.diff) or sealed in str(e.diff)]
    company.limit("passport", rep="hidden")
    with company.acting("rep") as acting:
        assert custom.opened(schema.record_type("contact", acting), contact.pk, acting) == {}


def test_what_a_role_may_not_see_or_edit_it_can_not_write(company):
    company.add("Margin", "number")
    contact = company.contact(margin=5)
    company.limit("margin", rep="read", manager="hidden")
    for role in ("rep", "readonly"):
        with pytest.raises(CrmError):
            company.change(contact, role, margin=6)
    with pytest.raises(Forbidden) as hidden:
        company.contact("manager", margin=6)
    with pytest.raises(Forbidden) as unknown:
        company.contact("manager", marvel=6)
    assert str(hidden.value).replace("margin", "") == str(unknown.value).replace("marvel", "")
    assert company.stored(contact) == {"margin": 5}
    with company.acting("rep") as acting:
        assert "margin" in {f.key for f in schema.record_type("contact", acting).fields_for("rep")}
        assert "margin" not in {f.key for f in schema.record_type("contact", acting).fields_for("manager")}


def test_a_formula_over_a_hidden_field_is_hidden_too(company):
    company.add("Price", "number")
    company.add("Doubled", "formula", formula="price * 2", result="number")
    with company.acting("rep") as acting:
        kind = schema.record_type("contact", acting)
        assert custom.computed(kind, {"price": 21}, acting) == {"doubled": Decimal(42)}
    company.limit("price", rep="hidden")
    with company.acting("rep") as acting:
        assert custom.computed(schema.record_type("contact", acting), {"price": 21}, acting) == {}
    with company.acting("admin") as acting:
        assert custom.computed(schema.record_type("contact", acting), {"price": 21}, acting) == {"doubled": 42}
    with pytest.raises(Forbidden):
        company.contact("admin", doubled=1)


def test_deals_and_types_of_other_packages_take_them_too(company):
    company.add("Segment", record_type="deal", required=True)
    company.add("Engine", "choice", record_type="vessel", options=COLOURS)
    with company.acting("admin") as acting:
        create_pipeline("Sales", acting=acting)
    with company.acting("rep") as acting, pytest.raises(Invalid) as caught:
        create_deals([{"name": "A", "custom": {"segment": "x"}}, {"name": "B"}], acting=acting)
    assert list(caught.value.fields) == ["1.segment"]
    with company.acting("rep") as acting:
        assert Deal.objects.count() == 0
        kind = schema.record_type("vessel", acting)
        made = create_record(kind, {"name": "Élan", "engine": "Red"}, acting=acting)
        update_record(kind, made.pk, {"engine": "sea_green", "crew": 4}, acting=acting)
        assert Vessel.objects.values_list("custom", "crew").get() == ({"engine": "sea_green"}, 4)
        deal_type = schema.record_type("deal", acting)
        deal = create_record(deal_type, {"name": "A", "segment": "x"}, acting=acting)
        update_record(deal_type, deal.pk, {"segment": "y"}, acting=acting)
        assert Deal.objects.get().custom == {"segment": "y"}


def test_another_organisation_has_none_of_it(company):
    row = company.add("Territory")
    other = Company()
    with pytest.raises(Forbidden):
        other.contact(territory="North")
    with other.acting("admin") as acting:
        assert "territory" not in {f.key for f in schema.record_type("contact", acting).fields}
        with pytest.raises(NotFound):
            update_field(row.pk, FieldSettings(label="X"), acting=acting)


def test_fields_are_read_once_until_they_change(company, django_assert_num_queries):
    company.add("Territory")
    with company.acting("rep") as acting:
        schema.record_type("contact", acting)
    with company.acting("rep") as acting, django_assert_num_queries(0):
        assert schema.record_type("contact", acting).field("territory").label == "Territory"
    company.add("Tier")
    with company.acting("rep") as acting:
        assert [f.key for f in schema.record_type("contact", acting).fields if f.custom] == ["territory", "tier"]
