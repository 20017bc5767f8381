"""Who works where: linking contacts to accounts, with a role."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from contacts import access
from contacts.actions import _changing, _links
from contacts.enums import ContactRole
from contacts.events import ContactLinked, ContactUnlinked
from contacts.models import AccountContact
from contacts.values import Messages, clean_choice, clean_text, refuse
from crm.actions.base import action
from crm.events import emit
from crm.lib.errors import NotFound
from crm.tenancy.context import Actor
from crm.tenancy.fields import new_id


@action
def link_contact(
    contact_id: UUID | str,
    account_id: UUID,
    *,
    acting: Actor,
    role: str = ContactRole.UNKNOWN,
    title: str = "",
    primary: bool = False,
    started_on: date | None = None,
    ended_on: date | None = None,
) -> AccountContact:
    """Links a contact to an account with a role there, or changes the link they have.

    The first link is the primary one; `primary` makes this one it, mirrored on the contact. Raises NotFound for a
    contact the actor may not change, Invalid for an account they do not see or dates in the wrong order.
    """
    contact = access.change_contact(contact_id, acting)
    _links.require_account(account_id, acting)
    columns: dict[str, Any] = _check(role, title, started_on, ended_on)
    links = _links.links_of(contact)
    link = next((link for link in links if link.account_id == account_id), None)
    if link is None:
        link = AccountContact(id=new_id(), contact_id=contact.id, account_id=account_id, **columns)
        link.save(force_insert=True)
        links.append(link)
    else:
        changed = _changing.put(link, columns)
        if changed:
            link.save(update_fields=changed)
    if primary or contact.account_id is None:
        _links.make_primary(contact, links, link)
    _changing.save(contact, ["account"], acting, "a contact linked to an account")
    emit(ContactLinked(record=contact.id, account=account_id, role=link.role))
    return link


def _check(role: str, title: str, started_on: date | None, ended_on: date | None) -> dict[str, Any]:
    errors: Messages = {}
    clean_choice("role", role, ContactRole, errors)
    title = clean_text("title", title, 120, errors)
    if started_on and ended_on and ended_on < started_on:
        errors["ended_on"] = _("The end lies before the start.")
    refuse(errors)
    return {"role": role, "title": title, "started_on": started_on, "ended_on": ended_on}


@action
def unlink_contact(contact_id: UUID | str, account_id: UUID, *, acting: Actor) -> None:
    """Removes a contact's link to an account; the oldest of the others becomes the primary one. Raises NotFound."""
    contact = access.change_contact(contact_id, acting)
    links = _links.links_of(contact)
    link = next((link for link in links if link.account_id == account_id), None)
    if link is None:
        raise NotFound(_("This contact is not linked to that account any more."))
    AccountContact.objects.filter(id=link.id).delete()
    rest = [other for other in links if other is not link]
    if link.is_primary:
        _links.make_primary(contact, rest, rest[0] if rest else None)
    _changing.save(contact, ["account"], acting, "a contact's link removed")
    emit(ContactUnlinked(record=contact.id, account=account_id))
