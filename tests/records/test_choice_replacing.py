"""Choices that records hold are taken away by saying what the records get instead."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contacts.models import Contact
from crm.actions import field_choices
from crm.actions.bin import delete_record
from crm.actions.field_choices import ChoicesInUse
from crm.actions.fields import FieldSettings, Option, delete_field, restore_field, update_field
from crm.lib.errors import Conflict, Forbidden, Invalid
from crm.models import AuditEntry, ChangeSet, CustomField, OutboxEvent
from crm.tasks import fields as job
from crm.tenancy.fields import BEFORE_ALL
from tests.records.company import Company
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)

COLOURS = {
    "red": Option("Red", "red", "red"),
    "teal": Option("Teal", "teal", "teal"),
    "blue": Option("Blue", "blue", "blue"),
}


class Palette:
    """A company whose contacts have a colour, or several."""

    def __init__(self, company: Company, kind: str = "choice", **more: Any) -> None:
        self.company, self.kind, self.more = company, kind, more
        options = [Option(option.label, option.tone) for option in COLOURS.values()]
        self.row = company.add("Colour", kind, options=options, **more)

    def take(self, *values: str, role: str = "admin", **more: Any) -> CustomField:
        """Takes choices away."""
        left = [option for value, option in COLOURS.items() if value not in values]
        given = FieldSettings(**{"label": "Colour", "kind": self.kind, "options": left, **self.more, **more})
        with self.company.acting(role) as acting:
            return update_field(self.row.pk, given, acting=acting)

    def choices(self) -> list[str]:
        with self.company.org.system():
            return [option["value"] for option in CustomField.everything.get(pk=self.row.pk).options]

    def work(self) -> None:
        """The job, as its event asks for it."""
        with self.company.org.system():
            event = OutboxEvent.objects.filter(payload__task=field_choices.TASK).latest("id")
        job.replace_choices(**event.payload["kwargs"])


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three records are too many for a request."""
    monkeypatch.setattr("crm.actions.field_choices.AT_ONCE", 2)
    monkeypatch.setattr("crm.actions.field_choices.PART", 2)


def test_records_get_another_choice_in_one_change_set(company: Company) -> None:
    palette = Palette(company)
    red, teal, none = company.contact(colour="red"), company.contact(colour="teal"), company.contact()
    with company.org.system():
        OutboxEvent.objects.all().delete()
    palette.take("red", instead={"red": "teal"})
    assert palette.choices() == ["teal", "blue"]
    assert [company.stored(contact) for contact in (red, teal, none)] == [{"colour": "teal"}, {"colour": "teal"}, {}]
    with company.org.system():
        made = ChangeSet.objects.get()
        assert (made.kind, made.label) == ("merge", "Colour: “Red” → “Teal”")
        entry = AuditEntry.objects.get(table_name="contacts_contact", operation="U")
        assert (entry.row_id, entry.change_set_id) == (red.pk, made.pk)
        assert entry.diff == {"custom": [{"colour": "red"}, {"colour": "teal"}]}
        event = OutboxEvent.objects.get(name="contact.updated")
        assert event.payload["records"] == [str(red.pk)]
        assert [Contact.objects.get(pk=contact.pk).version for contact in (red, teal, none)] == [2, 1, 1]


def test_a_change_set_does_not_name_a_field_that_some_do_not_see(company: Company) -> None:
    palette = Palette(company)
    company.limit("colour", rep="hidden")
    company.contact("admin", colour="red")
    palette.take("red", instead={"red": "teal"})
    with company.org.system():
        assert ChangeSet.objects.get().label == "Choices of a field"


def test_records_may_get_none(company: Company) -> None:
    palette = Palette(company)
    red = company.contact(colour="red")
    palette.take("red", instead={"red": ""})
    assert (palette.choices(), company.stored(red)) == (["teal", "blue"], {})


def test_several_choices_have_each_value_once_and_in_order(company: Company) -> None:
    palette = Palette(company, "multi_choice")
    held = [["red"], ["red", "blue"], ["red", "teal"], ["teal", "blue"], ["red", "teal", "blue"]]
    contacts = [company.contact(colour=values) for values in held]
    palette.take("red", "teal", instead={"red": "blue", "teal": ""})
    assert [company.stored(contact) for contact in contacts] == [{"colour": ["blue"]}] * 2 + [{"colour": ["blue"]}] * 3
    assert palette.choices() == ["blue"]


def test_nothing_changes_while_it_is_not_said_what_records_get(company: Company) -> None:
    palette = Palette(company)
    red = company.contact(colour="red")
    with pytest.raises(ChoicesInUse) as caught:
        palette.take("red", "blue")
    assert (caught.value.labels, "1 record" in str(caught.value.fields["options"])) == ({"red": "Red"}, True)
    for wrong in ("red", "green", "blue"):
        with pytest.raises(Invalid) as refused:
            palette.take("red", "blue", instead={"red": wrong})
        assert set(refused.value.fields) == {"instead-red"}
    with pytest.raises(Invalid):
        palette.take(options=[Option("Green", "green", "green")], instead={"red": "green"})
    for role in ("manager", "rep", "readonly"):
        with pytest.raises(Forbidden):
            palette.take("red", role=role, instead={"red": "teal"})
    assert (palette.choices(), company.stored(red)) == (["red", "teal", "blue"], {"colour": "red"})
    with company.org.system():
        assert ChangeSet.objects.count() == 0


def test_a_required_field_is_not_left_empty(company: Company) -> None:
    palette = Palette(company, required=True)
    red = company.contact(colour="red")
    with pytest.raises(Invalid) as caught:
        palette.take("red", instead={"red": ""})
    assert "required" in str(caught.value.fields["instead-red"])
    assert (palette.choices(), company.stored(red)) == (["red", "teal", "blue"], {"colour": "red"})


def test_a_default_follows(company: Company) -> None:
    palette = Palette(company, default="red")
    company.contact()
    row = palette.take("red", instead={"red": "blue"})
    assert (row.default, company.stored(company.contact())) == ("blue", {"colour": "blue"})


@pytest.mark.usefixtures("many")
def test_many_records_are_changed_by_a_job(company: Company) -> None:
    palette = Palette(company)
    contacts = [company.contact("admin" if n % 2 else "rep", colour="red") for n in range(5)]
    row = palette.take("red", instead={"red": "teal"})
    assert ([o["value"] for o in row.options], palette.choices()) == (["teal", "blue", "red"], ["teal", "blue", "red"])
    assert company.stored(contacts[0]) == {"colour": "red"}
    with pytest.raises(Conflict):
        palette.take("blue")
    late = company.contact(colour="red")
    with company.acting("admin") as acting:
        assert field_choices.replace_part(row.pk, BEFORE_ALL, acting=acting) == contacts[1].pk
    palette.work()
    assert [company.stored(contact) for contact in (*contacts, late)] == [{"colour": "teal"}] * 6
    assert palette.choices() == ["teal", "blue"]
    with company.org.system():
        made = ChangeSet.objects.get()
        changed = AuditEntry.objects.filter(table_name="contacts_contact", operation="U", change_set_id=made.pk)
        assert changed.count() == 6
    palette.work()  # delivered twice
    assert palette.take("red", "blue").options == [{"value": "teal", "label": "Teal", "tone": "teal"}]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("change", [{"active": False}, {"role": "rep"}], ids=["left", "no admin any more"])
def test_the_system_ends_what_somebody_began_who_may_not(company: Company, change: dict[str, Any]) -> None:
    palette = Palette(company)
    contacts = [company.contact(colour="red") for _contact in range(3)]
    palette.take("red", instead={"red": "teal"})
    with company.org.system():
        type(company.members["admin"]).objects.filter(pk=company.members["admin"].pk).update(**change)
    palette.work()
    assert [company.stored(contact) for contact in contacts] == [{"colour": "teal"}] * 3


@pytest.mark.usefixtures("many")
def test_a_field_that_comes_back_goes_on_with_it(company: Company) -> None:
    palette = Palette(company)
    contacts = [company.contact(colour="red") for _contact in range(3)]
    palette.take("red", instead={"red": "teal"})
    with company.acting("admin") as acting:
        delete_field(palette.row.pk, acting=acting)
    palette.work()
    assert company.stored(contacts[0]) == {"colour": "red"}
    with company.acting("admin") as acting:
        restore_field(palette.row.pk, acting=acting)
    palette.work()
    assert ([company.stored(contact) for contact in contacts], palette.choices()) == (
        [{"colour": "teal"}] * 3, ["teal", "blue"],
    )  # fmt: skip


def test_records_in_the_recycle_bin_get_it_quietly(company: Company) -> None:
    palette = Palette(company)
    red = company.contact("admin", colour="red")
    with company.acting("admin") as acting:
        delete_record("contact", red.pk, acting=acting)
        before = Contact.everything.get(pk=red.pk)
        OutboxEvent.objects.all().delete()
    palette.take("red", instead={"red": "teal"})
    with company.org.system():
        after = Contact.everything.get(pk=red.pk)
        assert (after.custom, after.version, after.updated_at) == (
            {"colour": "teal"},
            before.version,
            before.updated_at,
        )
        assert OutboxEvent.objects.filter(name="contact.updated").count() == 0


def test_only_admins_and_the_job_replace(company: Company) -> None:
    palette = Palette(company)
    for role in ("manager", "rep", "readonly"):
        with company.acting(role) as acting, pytest.raises(Forbidden):
            field_choices.replace_part(palette.row.pk, BEFORE_ALL, acting=acting)


def test_the_form_asks_what_records_get(company: Company) -> None:
    palette = Palette(company)
    contacts = [company.contact(colour="red"), company.contact(colour="red")]
    client = client_for(company.members["admin"])
    url = f"/w/{company.org.slug}/settings/fields/{palette.row.pk}/edit/"
    sent = {"label": "Colour", "options": ["Teal", "Blue"], "options-tone": ["teal", "blue"],
            "options-value": ["teal", "blue"]}  # fmt: skip
    asked = client.post(url, sent)
    html = asked.content.decode()
    assert (asked.status_code, "“Red” is in use by 2 records." in html, "Records with “Red” get" in html) == (
        422,
        True,
        True,
    )
    select = html.partition('name="instead-red"')[2].partition("</select>")[0]
    assert re.findall(r'<option value="([^"]*)"', select) == ["", "teal", "blue", "-"]
    empty = client.post(url, {**sent, "instead-red": ""})
    assert (empty.status_code, palette.choices()) == (422, ["red", "teal", "blue"])
    assert client.post(url, {**sent, "instead-red": "blue"}).status_code == 302
    assert ([company.stored(contact) for contact in contacts], palette.choices()) == (
        [{"colour": "blue"}] * 2, ["teal", "blue"],
    )  # fmt: skip
