"""A company of invented people: a rep, her manager, a rep of another team, an admin, a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Account, AccountContact, Contact, ContactEmail, ContactPhone
from contacts.values import EmailValue, NewAccount, NewContact
from crm.models import Membership
from tests.factories import Org, make_org


@dataclass
class Cast:
    """Northwind, private, in Amsterdam."""

    org: Org
    admin: Membership
    manager: Membership
    rep: Membership
    stranger: Membership
    reader: Membership

    def contact(self, by: Membership | None = None, **values: Any) -> Contact:
        """A contact of the rep, or of `by`; `email` is a shortcut for one address."""
        email = values.pop("email", "")
        if email:
            values["emails"] = (EmailValue(email),)
        values.setdefault("last_name", "Marchetti")
        with self.org.acting(by or self.rep) as acting:
            return create_contact(NewContact(**values), acting=acting)

    def account(self, name: str = "Halden Logistics", by: Membership | None = None, **values: Any) -> Account:
        """An account of the rep, or of `by`."""
        with self.org.acting(by or self.rep) as acting:
            return create_account(NewAccount(name=name, **values), acting=acting)

    def fresh(self, record: Contact | Account) -> Any:
        """A record as it is in the database now, the recycle bin's too."""
        with self.org.system():
            return type(record).everything.get(pk=record.pk)

    def emails(self, contact: Contact) -> list[tuple[str, str, bool]]:
        """A contact's addresses in order: address, kind, primary."""
        with self.org.system():
            rows = ContactEmail.objects.filter(contact_id=contact.pk).order_by("position")
            return list(rows.values_list("address", "kind", "is_primary"))

    def phones(self, contact: Contact) -> list[str]:
        """A contact's numbers in order."""
        with self.org.system():
            rows = ContactPhone.objects.filter(contact_id=contact.pk).order_by("position")
            return list(rows.values_list("number", flat=True))

    def links(self, contact: Contact) -> list[tuple[UUID, str, bool]]:
        """A contact's accounts, the oldest link first: account, role, primary."""
        with self.org.system():
            rows = AccountContact.objects.filter(contact_id=contact.pk).order_by("id")
            return list(rows.values_list("account_id", "role", "is_primary"))

    def count(self) -> tuple[int, int]:
        """How many contacts and accounts there are in all."""
        with self.org.system():
            return Contact.everything.count(), Account.everything.count()


@pytest.fixture
def cast() -> Cast:
    org = make_org(time_zone="Europe/Amsterdam")
    rep, manager = org.member("rep", "Maya Okafor"), org.member("manager", "Jonas Lind")
    made = Cast(
        org=org,
        admin=org.member("admin", "Lena Aalto"),
        manager=manager,
        rep=rep,
        stranger=org.member("rep", "Tom Becker"),
        reader=org.member("readonly", "Henrik Aas"),
    )
    org.team("Nordics", rep, managers=(manager,))
    return made
