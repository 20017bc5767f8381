"""Changes of custom fields in a record's history, and their old values put back."""

from __future__ import annotations

import pytest

from contacts.actions.contacts import update_contact
from contacts.models import Contact
from crm.actions.fields import Option, set_field_access
from crm.records import schema
from crm.records.history import Reader, history_groups
from crm.records.oldvalues import restore_value
from tests.records.test_custom_field_pages import Site

pytestmark = pytest.mark.django_db(transaction=True)


def changes(site: Site, role: str = "rep") -> list[list[tuple[str, str, str]]]:
    with site.org.acting(site.members[role]) as acting:
        kind = schema.record_type("contact", acting)
        groups = history_groups(kind, site.contact.pk, limit=20)
        reader = Reader(acting, kind, Contact.objects.get(pk=site.contact.pk))
        reader.prepare(groups)
        return [[(c.label, c.old, c.new) for c in reader.changes(group)] for group in groups]


@pytest.fixture
def site() -> Site:
    site = Site()
    site.add("Tier", "choice", options=(Option("Gold"), Option("Silver")))
    site.add("Value", "money")
    site.add("Referred by", "lookup", target="contact")
    site.add("Passport", encrypted=True)
    for custom in (
        {"tier": "gold", "value": {"amount": 100_000, "currency": "EUR"}},
        {"tier": "silver", "passport": "N-1", "referred_by": site.contact.pk},
        {"value": None},
    ):
        with site.org.acting(site.members["rep"]) as acting:
            update_contact(site.contact.pk, {"custom": custom}, acting=acting)
    return site


def test_every_field_reads_by_itself_and_an_encrypted_one_not_at_all(site):
    assert changes(site) == [
        [("Value", "€1,000", "")],
        [("Tier", "Gold", "Silver"), ("Referred by", "", "Berg")],
        [("Tier", "", "Gold"), ("Value", "", "€1,000")],
        [],
    ]
    page = site.get("rep", f"records/contact/{site.contact.pk}/history/")
    assert ("Silver" in page, "Referred by" in page, "N-1" in page) == (True, True, False)


def test_what_a_role_may_not_see_is_in_no_history(site):
    with site.org.acting(site.members["admin"]) as acting:
        set_field_access("contact", "value", {"rep": "hidden"}, acting=acting)
    assert changes(site) == [[], [("Tier", "Gold", "Silver"), ("Referred by", "", "Berg")], [("Tier", "", "Gold")], []]
    assert changes(site, "admin")[0] == [("Value", "€1,000", "")]
    history = f"records/contact/{site.contact.pk}/history/"
    assert "Value" not in site.get("rep", history)
    assert site.clients["rep"].get(site.url(history), {"field": "value"}).status_code == 404


def test_an_old_value_is_put_back(site):
    with site.org.acting(site.members["rep"]) as acting:
        kind = schema.record_type("contact", acting)
        groups = history_groups(kind, site.contact.pk, limit=20)
        entry = groups[0].rows[0].entry
        restore_value(kind, site.contact.pk, entry, "value", acting=acting)
    assert site.stored()["value"] == {"amount": 100_000, "currency": "EUR"}
    assert changes(site)[0] == [("Value", "", "€1,000")]
