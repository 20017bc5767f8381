"""Custom fields as people meet them: settings, forms, record pages, edited in place, in exports."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.actions.contacts import create_contact
from contacts.models import Contact
from contacts.values import NewContact
from crm.actions.fields import FieldSettings, Option, create_field, set_field_access
from crm.models import CustomField
from tests.factories import Org, make_org
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)
TIERS = (Option("Gold", "amber"), Option("Silver", "gray"))


class Site:
    """An organisation, its members' browsers, and a contact of the rep."""

    def __init__(self) -> None:
        self.org: Org = make_org(readonly_may_export=True)
        self.members = {role: self.org.member(role) for role in ("admin", "manager", "rep", "readonly")}
        self.clients = {role: client_for(member) for role, member in self.members.items()}
        with self.org.acting(self.members["rep"]) as acting:
            self.contact = create_contact(NewContact(last_name="Berg"), acting=acting)

    def add(self, label: str, kind: str = "text", **more: Any) -> CustomField:
        with self.org.acting(self.members["admin"]) as acting:
            return create_field("contact", FieldSettings(label=label, kind=kind, **more), acting=acting)

    def url(self, path: str) -> str:
        return f"/w/{self.org.slug}/{path}"

    def get(self, role: str, path: str, **data: Any) -> str:
        response = self.clients[role].get(self.url(path), data)
        assert response.status_code == 200, response.content[:300]
        body = b"".join(response.streaming_content) if response.streaming else response.content
        return body.decode()

    def post(self, role: str, path: str, **data: Any) -> Any:
        return self.clients[role].post(self.url(path), data)

    def stored(self, pk: Any = None) -> dict[str, Any]:
        with self.org.system():
            return Contact.objects.get(pk=pk or self.contact.pk).custom


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_admin_adds_a_field_and_everybody_has_it_at_once(site):
    before = site.get("rep", f"contacts/{site.contact.pk}/")
    assert "Contract tier" not in before
    answer = site.post(
        "admin", "settings/fields/contact/new/?kind=choice", label="Contract tier", group="Contract",
        **{"options": ["Gold", "Silver", ""], "options-tone": ["amber", "gray", "gray"], "options-value": ["", "", ""]},
    )  # fmt: skip
    assert answer.status_code == 302
    page = site.get("admin", "settings/fields/contact/")
    assert "Contract tier" in page
    assert "<code>contract_tier</code>" in page
    for role in ("rep", "admin", "readonly"):
        shown = site.get(role, f"contacts/{site.contact.pk}/")
        assert ("Contract</h" in shown, "Contract tier" in shown) == (True, True)


def test_the_form_takes_the_field_and_shows_what_is_wrong_with_it(site):
    site.add("Customer number", "number", required=True)
    path = "contacts/new/"
    form = {"last_name": "Lund", "owner": str(site.members["rep"].pk), "lifecycle": "lead", "lead_status": "new"}
    assert "Customer number" in site.get("rep", path)
    refused = site.post("rep", path, **form)
    assert refused.status_code == 422
    refused = site.post("rep", path, **form, custom_customer_number="many")
    assert refused.status_code == 422
    with site.org.system():
        assert Contact.objects.count() == 1
    assert site.post("rep", path, **form, custom_customer_number="12.5").status_code == 302
    with site.org.system():
        made = Contact.objects.get(last_name="Lund")
    assert made.custom == {"customer_number": 12.5}
    form["last_name"] = "Lunde"
    edit = f"contacts/{made.pk}/edit/"
    assert 'value="12.5"' in site.get("rep", edit)
    assert site.post("rep", edit, **form, version=made.version, custom_customer_number="13").status_code == 302
    assert site.stored(made.pk) == {"customer_number": 13}


@pytest.mark.parametrize(
    ("kind", "sent", "stored", "shown"),
    [
        ("text", {"extra": "Blue"}, "Blue", "Blue"),
        ("checkbox", {"extra": "on"}, True, "Yes"),
        ("choice", {"extra": "gold"}, "gold", "Gold"),
        ("multi_choice", {"extra": ["gold", "silver"]}, ["gold", "silver"], "Silver"),
        ("money", {"extra": "1200.50"}, {"amount": 120_050, "currency": "EUR"}, "1,200.50"),
        ("date", {"extra": "2026-03-01"}, "2026-03-01", "2026"),
        ("percent", {"extra": "12"}, 12, "12 %"),
        ("url", {"extra": "https://fjord.example"}, "https://fjord.example", "fjord.example"),
    ],
)
def test_a_field_is_edited_where_it_stands(site, kind, sent, stored, shown):
    site.add("Extra", kind, options=TIERS if "choice" in kind else ())
    path = f"records/contact/{site.contact.pk}/fields/extra/"
    assert "Set extra" in site.get("rep", f"contacts/{site.contact.pk}/")
    assert 'name="extra"' in site.get("rep", path, edit=1)
    answer = site.clients["rep"].post(
        site.url(path), {**sent, "version": site.contact.version}, headers={"HX-Request": "true"}
    )
    assert (answer.status_code, shown in answer.content.decode()) == (200, True)
    assert site.stored() == {"extra": stored}


def test_a_hidden_field_is_nowhere(site):
    row = site.add("Margin", "number")
    site.add("Doubled", "formula", formula="margin * 2", result="number")
    with site.org.acting(site.members["admin"]) as acting:
        create_contact(NewContact(last_name="Lund", custom={"margin": 41}), acting=acting)
        set_field_access("contact", "margin", {"readonly": "hidden", "rep": "read"}, acting=acting)
        lund = Contact.objects.get(last_name="Lund").pk
    pages = (f"contacts/{lund}/", "records/contact/export/", "contacts/", f"records/contact/{lund}/")
    for path in pages:
        shown = site.get("readonly", path)
        assert [word for word in ("Margin", "margin", "Doubled", ">82<") if word in shown] == []
    assert ("Margin" in site.get("admin", pages[0]), "82" in site.get("admin", pages[0])) == (True, True)
    field = f"records/contact/{lund}/fields/margin/"
    assert site.clients["readonly"].get(site.url(field)).status_code == 404
    assert (
        site.clients["rep"].get(site.url(f"records/contact/{site.contact.pk}/fields/margin/?edit=1")).status_code == 403
    )
    assert row.key == "margin"


def test_the_export_has_own_fields_but_no_encrypted_ones(site):
    site.add("Tier", "multi_choice", options=TIERS)
    site.add("Passport", encrypted=True)
    site.add("Referred by", "lookup", target="contact")
    with site.org.acting(site.members["rep"]) as acting:
        given = {"tier": ["gold", "silver"], "passport": "N-1", "referred_by": site.contact.pk}
        made = create_contact(NewContact(last_name="Lund", custom=given), acting=acting)
    rows = list(csv.DictReader(io.StringIO(site.get("rep", "records/contact/export/").lstrip("\ufeff"))))
    assert [(row["Name"], row["Tier"], row["Referred by"]) for row in rows] == [
        ("Lund", "Gold; Silver", "Berg"),
        ("Berg", "", ""),
    ]
    assert "Passport" not in rows[0]
    assert "N-1" in site.get("rep", f"contacts/{made.pk}/")


def test_hundred_fields_cost_a_list_no_statement(site, django_assert_num_queries):
    site.get("rep", "contacts/")
    with CaptureQueriesContext(connection) as without:
        site.get("rep", "contacts/")
    expected = len(without)
    with site.org.acting(site.members["admin"]) as acting:
        for number in range(100):
            create_field("contact", FieldSettings(label=f"Field {number}"), acting=acting)
    site.get("rep", "contacts/")
    with django_assert_num_queries(expected):
        site.get("rep", "contacts/")


def test_a_type_that_takes_no_fields_has_no_settings_page(site):
    assert site.clients["admin"].get(site.url("settings/fields/nothing/")).status_code == 404
    assert site.clients["rep"].get(site.url("settings/fields/")).status_code == 403


def test_phone_without_a_digit_is_refused_in_place_and_in_the_form(site):
    site.add("Extra", "phone")
    path = site.url(f"records/contact/{site.contact.pk}/fields/extra/")
    field = site.clients["rep"].post(path, {"extra": "abc", "version": site.contact.version})
    assert (field.status_code, "Enter a phone number" in field.content.decode()) == (422, True)
    form = {
        "last_name": "Lund",
        "lifecycle": "lead",
        "lead_status": "new",
        "owner": site.members["rep"].pk,
        "custom_extra": "abc",
    }
    made = site.post("rep", "contacts/new/", **form)
    assert (made.status_code, "Enter a phone number" in made.content.decode()) == (422, True)
    with site.org.system():
        assert list(Contact.objects.values_list("last_name", "custom")) == [("Berg", {})]
