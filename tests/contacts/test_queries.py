"""The hand-written reads answer what the ORM would."""

from __future__ import annotations

from typing import Any

import pytest

from contacts import page_queries, queries
from contacts.actions.accounts import create_account
from contacts.actions.contacts import delete_contact
from contacts.actions.links import link_contact
from contacts.models import Account, AccountContact, AccountDomain, Contact, ContactEmail, ContactPhone
from contacts.values import EmailValue, NewAccount, PhoneValue
from crm.models import Tag
from crm.tenancy.context import current_actor
from tests.contacts.conftest import Cast
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)
EMAILS = ["ines@halden.example", "hidden@halden.example", "gone@halden.example", "nobody@halden.example"]
DOMAINS = ["halden.example", "hidden.example", "nowhere.example"]


@pytest.fixture
def furnished(cast: Cast) -> Cast:
    """Accounts and contacts in sight and out of it, one in the recycle bin."""
    cast.account("Halden", domains=("halden.example",))
    cast.account("Hidden", by=cast.stranger, domains=("hidden.example",))
    cast.contact(first_name="Ines", email=EMAILS[0])
    cast.contact(by=cast.stranger, first_name="Hidden", email=EMAILS[1])
    gone = cast.contact(first_name="Gone", email=EMAILS[2])
    with cast.org.acting(cast.rep) as acting:
        delete_contact(gone.pk, acting=acting)
    return cast


def orm_known() -> tuple[dict[str, Any], dict[str, Any]]:
    emails: dict[str, Any] = {}
    rows = ContactEmail.objects.filter(address_norm__in=EMAILS, contact__deleted_at=None)
    for row in rows.select_related("contact__owner__user").order_by("contact_id"):
        contact = row.contact
        emails.setdefault(row.address_norm, []).append((contact.id, contact.name, contact.owner_id, contact.owner.name))
    domains: dict[str, Any] = {}
    found = AccountDomain.objects.filter(domain__in=DOMAINS, account__deleted_at=None)
    for entry in found.select_related("account__owner__user").order_by("account_id"):
        account = entry.account
        domains.setdefault(entry.domain, []).append((account.id, account.name, account.owner_id, account.owner.name))
    return emails, domains


@pytest.mark.parametrize("who", ["rep", "admin"])
def test_known_keys_finds_what_the_orm_finds(furnished: Cast, who: str):
    with furnished.org.acting(getattr(furnished, who)):
        known = queries.known_keys(EMAILS, DOMAINS)
        plain = [
            {key: [(k.id, k.name, k.owner_id, k.owner_name) for k in matches] for key, matches in part.items()}
            for part in (known.emails, known.domains)
        ]
        assert tuple(plain) == orm_known()
        assert (len(plain[0]), len(plain[1])) == ((2, 2) if who == "admin" else (1, 1))
        assert queries.known_keys((), ()).emails == {}


@pytest.mark.parametrize("who", ["rep", "admin"])
def test_find_keys_finds_the_whole_organisation_s_whoever_asks(furnished: Cast, who: str):
    with furnished.org.system():
        emails, domains = orm_known()
    elsewhere = make_org()
    with elsewhere.acting(elsewhere.member("rep")) as acting:
        create_account(NewAccount(name="Nowhere", domains=DOMAINS[2:]), acting=acting)
    with furnished.org.acting(getattr(furnished, who)):
        found = queries.find_keys(EMAILS, DOMAINS, lock=EMAILS)
        assert found.emails == set(emails)
        assert found.accounts == {domain: matches[0][0] for domain, matches in domains.items()}
        assert queries.find_keys((), (), lock=()) == queries.FoundKeys()
        assert queries.find_keys(("nobody@x.example",), (), lock=()) == queries.FoundKeys()


def test_known_keys_of_many_finds_the_same(furnished: Cast):
    with furnished.org.system():
        few = queries.known_keys(EMAILS, DOMAINS)
        many = queries.known_keys([*EMAILS, *(f"n{n}@x.example" for n in range(50))], DOMAINS)
        assert (few.emails, few.domains) == (many.emails, many.domains)


@pytest.mark.parametrize("who", ["rep", "manager", "admin"])
def test_contact_parts_finds_what_the_orm_finds(furnished: Cast, who: str):
    made = furnished.contact(
        emails=(EmailValue("a@halden.example"), EmailValue("b@halden.example", "home", True)),
        phones=(PhoneValue("+31105550142"), PhoneValue("+31205550101", "mobile")),
        tags=("Champion", "NL"),
        title="Buyer",
    )
    with furnished.org.system():
        hidden = Account.objects.get(name="Hidden")
    with furnished.org.acting(furnished.admin) as acting:
        link_contact(made.pk, hidden.pk, acting=acting, role="billing", title="On the board")
    with furnished.org.acting(getattr(furnished, who)):
        contact = Contact.objects.get(pk=made.pk)
        parts = page_queries.contact_parts(contact, current_actor())
        emails = ContactEmail.objects.filter(contact=contact).order_by("position")
        phones = ContactPhone.objects.filter(contact=contact).order_by("position")
        links = AccountContact.objects.filter(contact=contact, account__deleted_at=None).select_related("account")
        people = Contact.objects.filter(account_id=contact.account_id).exclude(pk=contact.pk).order_by("-updated_at")
        assert [(e.value, e.kind, e.is_primary) for e in parts.emails] == [
            (e.address, e.kind, e.is_primary) for e in emails
        ]
        assert [(p.value, p.kind, p.is_primary) for p in parts.phones] == [
            (p.number, p.kind, p.is_primary) for p in phones
        ]
        assert [(n.id, n.name, n.title, n.role, n.is_primary) for n in parts.links] == [
            (n.account_id, n.account.name, n.title, n.role, n.is_primary) for n in links.order_by("-is_primary", "id")
        ]
        assert [(p.id, p.name, p.title) for p in parts.colleagues] == [(p.id, p.name, p.title) for p in people]
        assert parts.tags == {t.id: (t.name, t.tone) for t in Tag.objects.filter(id__in=contact.tags)}
        assert len(parts.links) == (2 if who == "admin" else 1)
        assert [p.name for p in parts.colleagues] == ["Ines Marchetti"] if who != "admin" else parts.colleagues


def test_contact_parts_of_a_bare_contact_are_empty(cast: Cast):
    made = cast.contact()
    with cast.org.acting(cast.rep):
        parts = page_queries.contact_parts(Contact.objects.get(pk=made.pk), current_actor())
    assert parts == page_queries.ContactParts([], [], [], [], {})
