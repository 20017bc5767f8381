"""Defaults of own fields, as an admin gives them when adding and when changing a field."""

from __future__ import annotations

from typing import Any

import pytest

from contacts.actions.contacts import create_contact
from contacts.models import Contact
from contacts.values import NewContact
from crm.actions.fields import FieldSettings, create_field
from crm.lib.errors import Invalid
from crm.models import CustomField, Membership
from tests.factories import make_org
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)
CHOICES = {"options": ["Gold", "Silver"], "options-tone": ["amber", "gray"], "options-value": ["", ""]}
WHOLE = {"options-value": ["gold", "silver"]}  # what the form of a field that is there sends besides

KINDS = [  # type, what is typed for a new field, what is kept, what is typed later, what is kept then
    ("text", "North", "North", "", None),
    ("long_text", "One\nTwo", "One\nTwo", "One", "One"),
    ("number", "0", 0, "2.5", 2.5),
    ("percent", "12.5", 12.5, "10", 10),
    ("money", "1200.50", {"amount": 120_050, "currency": "EUR"}, "7", {"amount": 700, "currency": "EUR"}),
    ("date", "2026-01-31", "2026-01-31", "", None),
    ("datetime", "2026-01-31T09:30", "2026-01-31T09:30:00Z", "2026-01-31T10:30", "2026-01-31T10:30:00Z"),
    ("checkbox", "on", True, "", None),
    ("choice", "Silver", "silver", "gold", "gold"),
    ("multi_choice", "Silver; gold", ["gold", "silver"], ["silver"], ["silver"]),
    ("email", "a@fjord.example", "a@fjord.example", "", None),
    ("phone", "+47 22 33 44 55", "+4722334455", "", None),
    ("url", "https://fjord.example", "https://fjord.example", "", None),
]


class Site:
    """An organisation whose admin sets fields up."""

    def __init__(self) -> None:
        self.org = make_org(time_zone="UTC")
        self.admin, self.rep = self.org.member("admin"), self.org.member("rep", "Rhea Rep")
        self.client = client_for(self.admin)

    def new(self, kind: str, **data: Any) -> Any:
        extra = CHOICES if kind in ("choice", "multi_choice") else {}
        path = f"/w/{self.org.slug}/settings/fields/contact/new/?kind={kind}"
        return self.client.post(path, {"label": "Own", **extra, **data})

    def edit(self, row: CustomField, **data: Any) -> Any:
        extra = {**CHOICES, **WHOLE} if row.kind in ("choice", "multi_choice") else {}
        return self.client.post(self.path(row), {"label": "Own", **extra, **data})

    def path(self, row: CustomField) -> str:
        return f"/w/{self.org.slug}/settings/fields/{row.pk}/edit/"

    def row(self) -> CustomField:
        with self.org.system():
            return CustomField.objects.get(key="own")

    def added(self) -> dict[str, Any]:
        with self.org.acting(self.rep) as acting:
            made = create_contact(NewContact(last_name="Berg"), acting=acting)
        with self.org.system():
            return Contact.objects.get(pk=made.pk).custom


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.parametrize(("kind", "typed", "kept", "later", "then"), KINDS)
def test_a_default_is_given_with_the_field_and_changed_later(site, kind, typed, kept, later, then):
    assert site.new(kind, default=typed).status_code == 302
    assert site.row().default == kept
    assert site.added() == {"own": kept}
    assert site.edit(site.row(), default=later).status_code == 302
    assert site.row().default == then


@pytest.mark.parametrize(
    ("kind", "typed", "shown"),
    [
        ("money", "1200.50", 'value="1200.50"'), ("datetime", "2026-01-31T09:30", 'value="2026-01-31T09:30"'),
        ("date", "2026-01-31", 'value="2026-01-31"'), ("long_text", "One", ">\nOne</textarea>"),
        ("choice", "silver", '<option value="silver" selected>'),
    ],
)  # fmt: skip
def test_the_form_of_a_field_shows_its_default(site, kind, typed, shown):
    site.new(kind, default=typed)
    page = site.client.get(site.path(site.row())).content.decode()
    assert page.count(shown) == 1


def test_a_member_is_a_default_until_they_leave(site):
    assert site.new("member", default=str(site.rep.pk), required="on").status_code == 302
    assert site.added() == {"own": str(site.rep.pk)}
    page = site.client.get(site.path(site.row())).content.decode()
    assert f'<option value="{site.rep.pk}" selected>' in page
    site.edit(site.row(), default=str(site.rep.pk))
    with site.org.system():
        Membership.objects.filter(pk=site.rep.pk).update(active=False)
    with site.org.acting(site.admin) as acting:
        made = create_contact(NewContact(last_name="Berg"), acting=acting)
    assert made.custom == {}
    assert site.edit(site.row(), default=str(site.rep.pk)).status_code == 422
    with site.org.acting(site.admin) as acting, pytest.raises(Invalid) as caught:
        create_field("contact", FieldSettings(label="Two", kind="member", default=str(site.rep.pk)), acting=acting)
    assert set(caught.value.fields) == {"default"}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("choice", {"default": "Bronze"}), ("multi_choice", {"default": "Gold; Bronze"}), ("number", {"default": "x"}),
        ("datetime", {"default": "0001-01-01T00:00"}), ("text", {"default": "A", "unique": "on"}),
        ("text", {"default": "A", "encrypted": "on"}), ("member", {"default": "somebody"}),
    ],
)  # fmt: skip
def test_a_default_that_can_not_be_is_refused_and_nothing_is_added(site, kind, data):
    page = site.new(kind, **data)
    assert page.status_code == 422
    assert page.content.decode().count('aria-invalid="true"') == 1
    with site.org.system():
        assert CustomField.everything.count() == 0


@pytest.mark.parametrize("kind", ["lookup", "formula"])
def test_records_and_formulas_have_none(site, kind):
    page = site.client.get(f"/w/{site.org.slug}/settings/fields/contact/new/?kind={kind}").content.decode()
    assert ('name="label"' in page, 'name="default"' in page) == (True, False)
