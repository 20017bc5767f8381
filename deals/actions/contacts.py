"""The people of a deal, each with a role."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from contacts.enums import ContactRole
from contacts.models import Contact
from crm import access
from crm.actions.base import action
from crm.events import emit
from crm.lib.errors import Invalid, NotFound
from crm.tenancy.context import Actor
from deals.events import DealUpdated
from deals.models import Deal, DealContact


def _tell(deal: Deal) -> None:
    emit(
        DealUpdated(
            record=deal.pk,
            pipeline=deal.pipeline_id,
            stage=deal.stage_id,
            owner=deal.owner_id,
            previous_owner=deal.owner_id,
            fields=("contacts",),
        )
    )


@action
def set_deal_contact(
    deal_id: UUID | str,
    contact_id: UUID | str,
    *,
    role: str = ContactRole.UNKNOWN,
    is_primary: bool = False,
    acting: Actor,
) -> DealContact:
    """Puts a contact on a deal, or changes the role they have there. The first one is the primary one.

    Raises NotFound and Invalid.
    """
    if role not in ContactRole.values:
        raise Invalid(fields={"role": _("Choose one of the roles.")})
    deal = access.get_writable(Deal, deal_id, acting)
    contact = access.get_visible(Contact, contact_id, acting)
    rows = {row.contact_id: row for row in DealContact.objects.filter(deal=deal)}
    row = rows.get(contact.pk) or DealContact(deal=deal, contact=contact)
    row.role = role
    row.is_primary = row.is_primary or is_primary or not any(r.is_primary for r in rows.values())
    if row.is_primary:
        DealContact.objects.filter(deal=deal, is_primary=True).exclude(pk=row.pk).update(is_primary=False)
    row.save()
    _tell(deal)
    return row


@action
def remove_deal_contact(deal_id: UUID | str, contact_id: UUID | str, *, acting: Actor) -> None:
    """Takes a contact off a deal; the next one becomes the primary one. Raises NotFound."""
    deal = access.get_writable(Deal, deal_id, acting)
    row = DealContact.objects.filter(deal=deal, contact_id=contact_id).first() if access.is_uuid(contact_id) else None
    if row is None:
        raise NotFound(_("This contact is not on the deal any more. Reload the page."))
    row.delete()
    heir = DealContact.objects.filter(deal=deal).order_by("created_at", "pk").first() if row.is_primary else None
    if heir is not None:
        heir.is_primary = True
        heir.save(update_fields=["is_primary"])
    _tell(deal)
