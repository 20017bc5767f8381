"""The rows between contacts and accounts, and the primary one's mirror on the contact."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from contacts import queries
from contacts.enums import ContactRole
from contacts.models import AccountContact, Contact
from crm.lib.errors import Invalid
from crm.tenancy.context import Actor
from crm.tenancy.fields import new_id


def require_account(account_id: UUID, acting: Actor) -> None:
    """Raises Invalid for an account that is absent, deleted, or not the actor's to see."""
    if not queries.live_account_ids([account_id], acting):
        raise Invalid(fields={"account": _("This account was not found. Choose another one.")})


def links_of(contact: Contact) -> list[AccountContact]:
    """A contact's links, in the order in which they were made. The contact must be locked."""
    return list(AccountContact.objects.filter(contact_id=contact.id).order_by("id"))


def make_primary(contact: Contact, links: list[AccountContact], chosen: AccountContact | None) -> None:
    """Marks one link as primary and mirrors its account, unsaved, on the contact; None leaves it without."""
    for link in links:
        if link.is_primary and link is not chosen:
            link.is_primary = False
            link.save(update_fields=["is_primary"])
    if chosen is not None and not chosen.is_primary:
        chosen.is_primary = True
        chosen.save(update_fields=["is_primary"])
    contact.account_id = chosen.account_id if chosen else None


def set_account(contact: Contact, account_id: UUID | None, acting: Actor) -> bool:
    """Makes an account the contact's primary one, linking it where it is not; None unlinks the present one.

    Saves the links, not the contact. Whether anything changed. Raises Invalid.
    """
    if contact.account_id == account_id:
        return False
    links = links_of(contact)
    if account_id is None:
        AccountContact.objects.filter(contact_id=contact.id, account_id=contact.account_id).delete()
        rest = [link for link in links if link.account_id != contact.account_id]
        make_primary(contact, rest, rest[0] if rest else None)
        return True
    require_account(account_id, acting)
    link = next((link for link in links if link.account_id == account_id), None)
    if link is None:
        make_primary(contact, links, None)
        link = AccountContact(
            id=new_id(), contact_id=contact.id, account_id=account_id, role=ContactRole.UNKNOWN, is_primary=True
        )
        link.save(force_insert=True)
    make_primary(contact, links, link)
    return True
