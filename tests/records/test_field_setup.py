"""Adding, changing, deleting and restoring fields of an organisation's own."""

from __future__ import annotations

import pytest

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
from crm.lib.errors import Forbidden, Invalid
from crm.models import CustomField
from crm.records import schema, showing
from tests.records.company import COLOURS

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_order_of_fields(company):
    rows = [company.add(label) for label in ("A", "B", "C")]
    with company.acting("admin") as acting:
        order_fields("contact", [rows[2].pk, rows[0].pk], acting=acting)
    with company.acting("rep") as acting:
        assert [f.label for f in schema.record_type("contact", acting).fields if f.custom] == ["C", "A", "B"]


@pytest.mark.parametrize("key", ["range", "contains", "isnull", "overlap"])
def test_a_choice_in_use_is_found_whatever_the_key_of_its_field(company, key):
    row = company.add("Colour", "choice", options=COLOURS, key=key)
    company.contact(**{key: "red"})
    left = FieldSettings(label="Colour", kind="choice", options=[Option("Sea green", "teal", "sea_green")])
    with company.acting("admin") as acting, pytest.raises(Invalid) as caught:
        update_field(row.pk, left, acting=acting)
    assert "1 record" in str(caught.value.fields["options"])


def test_two_choices_of_one_value_are_refused(company):
    row = company.add("Colour", "choice", options=COLOURS)
    twice = FieldSettings(label="Colour", kind="choice", options=[Option("A", value="red"), Option("B", value="red")])
    with company.acting("admin") as acting, pytest.raises(Invalid) as caught:
        update_field(row.pk, twice, acting=acting)
    assert list(caught.value.fields) == ["options"]


@pytest.mark.parametrize(
    ("record_type", "key"), [("vessel", "currency"), ("contact", "account_id"), ("deal", "stage_id")]
)
def test_the_name_of_a_column_is_no_key(company, record_type, key):
    with company.acting("admin") as acting, pytest.raises(Invalid) as caught:
        create_field(record_type, FieldSettings(label="Money", key=key), acting=acting)
    assert list(caught.value.fields) == ["key"]


def test_a_long_label_that_begins_with_a_digit_gives_a_key_that_fits(company):
    assert company.add("2026 " + "renewal " * 6).key == "field_2026_renewal_renewal_renewal_r"


def test_changing_a_field_leaves_its_type(company):
    row = company.add("Price", "number")
    with company.acting("admin") as acting:
        changed = update_field(row.pk, FieldSettings(label="Cost", kind="choice", default=0), acting=acting)
    assert (changed.label, changed.kind, changed.default) == ("Cost", "number", 0)
    assert company.stored(company.contact()) == {"price": 0}


def test_no_more_fields_come_back_than_there_may_be(company, monkeypatch):
    row = company.add("Territory")
    with company.acting("admin") as acting:
        delete_field(row.pk, acting=acting)
    company.add("Tier")
    monkeypatch.setattr("crm.actions.fields.MOST", 1)
    with company.acting("admin") as acting, pytest.raises(Invalid):
        restore_field(row.pk, acting=acting)
    with company.org.system():
        assert list(CustomField.objects.values_list("label", flat=True)) == ["Tier"]


def test_a_formula_comes_back_only_while_its_fields_are_there(company):
    price = company.add("Price", "number")
    formula = company.add("Doubled", "formula", formula="price * 2", result="number")
    with company.acting("admin") as acting:
        delete_field(formula.pk, acting=acting)
        delete_field(price.pk, acting=acting)
    with company.acting("admin") as acting, pytest.raises(Invalid):
        restore_field(formula.pk, acting=acting)
    with company.acting("admin") as acting:
        restore_field(price.pk, acting=acting)
        assert restore_field(formula.pk, acting=acting).deleted_at is None


def test_a_word_of_formulas_is_no_key(company):
    with company.acting("admin") as acting:
        made = create_field("contact", FieldSettings(label="If not"), acting=acting)
        row = create_field("contact", FieldSettings(label="If"), acting=acting)
        assert (made.key, row.key) == ("if_not", "if_2")
        with pytest.raises(Invalid) as caught:
            create_field("contact", FieldSettings(label="Not", key="not"), acting=acting)
        assert list(caught.value.fields) == ["key"]
    with company.acting("admin"):
        assert CustomField.objects.count() == 2


def test_a_formula_takes_a_key_that_is_a_word_of_python(company):
    number = company.add("Class", "number")
    company.add("Twice", "formula", formula="class * 2", result="number")
    assert number.key == "class"
    contact = company.contact(**{"class": 4})
    with company.acting("rep") as acting:
        kind = schema.record_type("contact", acting)
        record = type(contact).objects.get(pk=contact.pk)
        assert showing.own_values(kind, record, acting) == {"class": 4, "twice": 8}
