"""The rows between contacts and accounts, and the primary one's mirror on the contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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


def set_account_of(contacts: Sequence[Contact], account_id: UUID | None) -> None:
    """`set_account` for many locked contacts that have another account, in a fixed number of statements.

    The caller has seen to it that the actor may name the account.
    """
    links = defaultdict(list)
    for link in AccountContact.objects.filter(contact_id__in=[c.id for c in contacts]).order_by("id"):
        links[link.contact_id].append(link)
    gone: list[UUID] = []
    off: list[UUID] = []
    on: list[UUID] = []
    new: list[AccountContact] = []
    for contact in contacts:
        own, chosen = links[contact.id], None
        if account_id is None:
            gone += [link.id for link in own if link.account_id == contact.account_id]
            own = [link for link in own if link.account_id != contact.account_id]
            chosen = own[0] if own else None
        else:
            chosen = next((link for link in own if link.account_id == account_id), None)
            if chosen is None:
                chosen = AccountContact(
                    id=new_id(), contact_id=contact.id, account_id=account_id, role=ContactRole.UNKNOWN, is_primary=True
                )
                new.append(chosen)
        off += [link.id for link in own if link.is_primary and link is not chosen]
        on += [chosen.id] if chosen is not None and not chosen.is_primary else []
        contact.account_id = chosen.account_id if chosen is not None else None
    _write_links(gone, off, on, new)


def _write_links(gone: list[UUID], off: list[UUID], on: list[UUID], new: list[AccountContact]) -> None:
    """Removes, unmarks, marks and adds links, in an order in which a contact never has two primary ones."""
    if gone:
        AccountContact.objects.filter(id__in=gone).delete()
    for ids, is_primary in ((off, False), (on, True)):
        if ids:
            AccountContact.objects.filter(id__in=ids).update(is_primary=is_primary)
    AccountContact.objects.bulk_create(new)
