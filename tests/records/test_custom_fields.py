"""Fields of an organisation's own: made by admins, held on every way in, hidden by role."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from contacts.actions import contacts
from contacts.models import Contact
from contacts.values import NewContact
from crm.actions.bin import delete_record
from crm.actions.fields import (
    FieldSettings,
    Option,
    create_field,
    delete_field,
    order_fields,
    restore_field,
    set_field_access,
    update_field,
)
from crm.actions.purge import purge_entries
from crm.lib.errors import CrmError, Forbidden, Invalid, NotFound
from crm.models import AuditEntry, BinEntry, CustomField, SealedValue, UniqueValue
from crm.records import custom, formulas, schema
from crm.records.actions import create_record, update_record
from deals.actions.deals import create_deals
from deals.actions.pipelines import create_pipeline
from deals.models import Deal
from tests.factories import Org, make_org
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)
COLOURS = (Option("Red", "red"), Option("Sea green", "teal"))


class Company:
    """An organisation with one member of each role."""

    def __init__(self) -> None:
        self.org: Org = make_org()
        self.members = {role: self.org.member(role) for role in ("admin", "manager", "rep", "readonly")}

    def acting(self, role: str) -> Any:
        return self.org.acting(self.members[role])

    def add(self, label: str, kind: str = "text", record_type: str = "contact", **more: Any) -> CustomField:
        with self.acting("admin") as acting:
            return create_field(record_type, FieldSettings(label=label, kind=kind, **more), acting=acting)

    def limit(self, key: str, record_type: str = "contact", **levels: str) -> None:
        with self.acting("admin") as acting:
            set_field_access(record_type, key, levels, acting=acting)

    def contact(self, role: str = "rep", **values: Any) -> Contact:
        with self.acting(role) as acting:
            return contacts.create_contact(NewContact(last_name="Berg", custom=values), acting=acting)

    def change(self, contact: Contact, role: str = "rep", **values: Any) -> Contact:
        with self.acting(role) as acting:
            return contacts.update_contact(contact.pk, {"custom": values}, acting=acting)

    def stored(self, contact: Contact) -> dict[str, Any]:
        with self.org.system():
            return Contact.objects.get(pk=contact.pk).custom

    def refused(self, error: type[CrmError], role: str = "rep", **values: Any) -> dict[str, str]:
        with pytest.raises(error) as caught:
            self.contact(role, **values)
        with self.org.system():
            assert (Contact.objects.count(), UniqueValue.objects.count(), SealedValue.objects.count()) == (0, 0, 0)
        return {key: str(text) for key, text in caught.value.fields.items()}


@pytest.fixture
def company() -> Company:
    return Company()


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
        ("multi_choice", 7), ("email", "nobody"), ("url", "javascript:alert(1)"), ("member", "me"),
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


def test_renaming_a_choice_renames_it_everywhere_at_once(company):
    row = company.add("Colour", "choice", options=COLOURS)
    contact = company.contact(colour="Red")
    with company.acting("admin") as acting:
        options = [Option("Crimson", "red", "red"), Option("Sea green", "teal", "sea_green"), Option("Blue")]
        update_field(row.pk, FieldSettings(label="Colour", kind="choice", options=options), acting=acting)
    with company.acting("rep") as acting:
        assert schema.record_type("contact", acting).field("colour").options() == [
            ("red", "Crimson"), ("sea_green", "Sea green"), ("blue", "Blue"),
        ]  # fmt: skip
    assert company.stored(contact) == {"colour": "red"}
    assert company.stored(company.contact(colour="crimson")) == {"colour": "red"}


@pytest.mark.parametrize(("kind", "held"), [("choice", "red"), ("multi_choice", ["red", "sea_green"])])
def test_a_choice_that_records_hold_is_not_taken_away(company, kind, held):
    row = company.add("Colour", kind, options=COLOURS)
    contact = company.contact(colour=held)
    left = FieldSettings(label="Colour", kind=kind, options=[Option("Sea green", "teal", "sea_green")])
    with company.acting("admin") as acting, pytest.raises(Invalid) as caught:
        update_field(row.pk, left, acting=acting)
    assert "1 record" in str(caught.value.fields["options"])
    assert company.stored(contact) == {"colour": held}
    company.change(contact, colour=None)
    with company.acting("admin") as acting:
        assert [o["value"] for o in update_field(row.pk, left, acting=acting).options] == ["sea_green"]


def test_a_deleted_field_hides_its_values_until_it_is_restored(company):
    row = company.add("Territory")
    contact = company.contact(territory="North")
    with company.acting("admin") as acting:
        delete_field(row.pk, acting=acting)
    with pytest.raises(Forbidden):
        company.change(contact, territory="South")
    again = company.add("Territory")
    assert again.key == "territory_2"
    with company.acting("admin") as acting:
        with pytest.raises(Invalid):
            restore_field(row.pk, acting=acting)
        delete_field(again.pk, acting=acting)
        restore_field(row.pk, acting=acting)
    assert company.stored(contact) == {"territory": "North"}
    assert company.stored(company.change(contact, territory="South")) == {"territory": "South"}


def test_a_field_that_a_formula_needs_is_not_deleted(company):
    row = company.add("Price", "number")
    company.add("Doubled", "formula", formula="price * 2", result="number")
    with company.acting("admin") as acting, pytest.raises(Invalid):
        delete_field(row.pk, acting=acting)
    with company.org.system():
        assert CustomField.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"label": " "}, "label"),
        ({"label": "X", "key": "No!"}, "key"),
        ({"label": "X", "key": "email"}, "key"),
        ({"label": "X", "kind": "tags"}, "kind"),
        ({"label": "X", "kind": "choice"}, "options"),
        ({"label": "X", "kind": "choice", "options": (Option("A"), Option("a"))}, "options"),
        ({"label": "X", "kind": "choice", "options": (Option("A", "black"),)}, "options"),
        ({"label": "X", "kind": "lookup", "target": "nothing"}, "target"),
        ({"label": "X", "kind": "checkbox", "unique": True}, "unique"),
        ({"label": "X", "kind": "choice", "options": COLOURS, "encrypted": True}, "encrypted"),
        ({"label": "X", "kind": "number", "default": "many"}, "default"),
        ({"label": "X", "kind": "formula", "result": "number", "formula": "nothing + 1"}, "formula"),
        ({"label": "X", "kind": "formula", "result": "number", "formula": "score.real"}, "formula"),
        ({"label": "X", "kind": "formula", "result": "date", "formula": "score + 1"}, "result"),
    ],
)
def test_a_field_that_can_not_be_is_refused(company, given, wrong):
    with company.acting("admin") as acting, pytest.raises(Invalid) as caught:
        create_field("contact", FieldSettings(**given), acting=acting)
    assert wrong in caught.value.fields
    with company.org.system():
        assert CustomField.everything.count() == 0


@pytest.mark.parametrize("role", ["manager", "rep", "readonly"])
def test_only_admins_change_fields(company, role):
    row = company.add("Territory")
    with company.acting(role) as acting:
        for work in (
            lambda: create_field("contact", FieldSettings(label="X"), acting=acting),
            lambda: update_field(row.pk, FieldSettings(label="X"), acting=acting),
            lambda: delete_field(row.pk, acting=acting),
            lambda: restore_field(row.pk, acting=acting),
            lambda: order_fields("contact", [row.pk], acting=acting),
            lambda: set_field_access("contact", "territory", {"rep": "hidden"}, acting=acting),
        ):
            with pytest.raises(Forbidden):
                work()
    with company.org.system():
        assert list(CustomField.everything.values_list("label", "version", "deleted_at")) == [("Territory", 1, None)]


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


def test_order_of_fields(company):
    rows = [company.add(label) for label in ("A", "B", "C")]
    with company.acting("admin") as acting:
        order_fields("contact", [rows[2].pk, rows[0].pk], acting=acting)
    with company.acting("rep") as acting:
        assert [f.label for f in schema.record_type("contact", acting).fields if f.custom] == ["C", "A", "B"]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("round(amount * probability / 100, 2)", {"amount": 1250.55, "probability": 40}, Decimal("500.22")),
        ("upper(city) + ', ' + country", {"city": "Oslo", "country": "NO"}, "OSLO, NO"),
        ("'big' if a > 1000 else 'small'", {"a": 1000}, "small"),
        ("a / 0", {"a": 1}, None),
        ("a + 1", {}, None),
        ("coalesce(a, 0) + 1", {}, Decimal(1)),
        ("concat(a, '/', b)", {"a": "x"}, "x/"),
        ("days(a, b)", {"a": "2026-01-01", "b": dt.date(2026, 3, 1)}, Decimal(59)),
        ("a * 'x'", {"a": 10**9}, None),
        ("not a or b", {"a": True, "b": True}, True),
        ("1 < a < 5", {"a": 3}, True),
        ("0.1 + 0.2 == a", {"a": Decimal("0.3")}, True),
        ("len(left(a, 3)) + floor(2.7)", {"a": "abcdef"}, Decimal(5)),
    ],
)
def test_formulas(text, values, expected):
    assert formulas.result_of(text, values) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a.real", "a[0]", "__import__('os')", "(lambda: 1)()", "a ** 99", "[x for x in a]", "f'{a}'", "a if", "max(*a)",
        "round(a, digits=2)", "b'x'", "1 +" * 300 + "a", "unknown + 1", "2 + 2", "",
    ],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(Invalid) as caught:
        formulas.check(text, {"a"})
    assert list(caught.value.fields) == ["formula"]
