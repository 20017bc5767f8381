"""What follows from events: notifications of those whom they concern, and activities that follow their record.

Receivers run as the system and may run twice for one event.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from activities.actions.follow import follow_accounts
from contacts.models import Account, Contact
from crm.actions.notifications import notify_once
from crm.events import Delivery, receives
from crm.models import Membership
from crm.records.names import Names
from crm.tenancy.context import current_actor
from deals.models import Deal, Stage

TYPES: dict[str, type[Any]] = {"contact": Contact, "account": Account, "deal": Deal}


@receives("contact.assigned", "account.assigned")
def tell_new_owner(delivery: Delivery) -> None:
    """A contact or account was given to a member by somebody else. (Deals tell it themselves.)"""
    if delivery.record is None:
        return  # many at once: the run says it in one notification
    to, by = UUID(delivery.payload["to_member"]), _by(delivery)
    if by is None or to == by:
        return
    kind = delivery.name.partition(".")[0]
    names = Names()
    names.want(TYPES[kind], delivery.record)
    names.want(Membership, by)
    names.load()
    notify_once(
        to, delivery.name, delivery.id, record_type=kind, record=delivery.record,
        name=names.of(TYPES[kind], delivery.record), by=names.of(Membership, by),
    )  # fmt: skip


@receives("deal.stage_changed")
def tell_owner_of_step(delivery: Delivery) -> None:
    """Somebody else moved a member's deal. What imports and the system do is not told deal by deal."""
    if delivery.record is None or "owner" not in delivery.payload:
        return
    owner, by = UUID(delivery.payload["owner"]), _by(delivery)
    if by is None or owner == by or delivery.payload["by"]["kind"] == "import":
        return
    names = Names()
    names.want(Deal, delivery.record)
    names.want(Stage, delivery.payload["stage"])
    names.want(Membership, by)
    names.load()
    notify_once(
        owner, delivery.name, delivery.id, record_type="deal", record=delivery.record,
        name=names.of(Deal, delivery.record), by=names.of(Membership, by),
        stage=names.of(Stage, delivery.payload["stage"]), status=delivery.payload["status"],
    )  # fmt: skip


@receives("contact.updated", "contact.linked", "contact.unlinked")
def follow_contact(delivery: Delivery) -> None:
    """A contact may belong to another account now: what happened with them stands on that account's timeline."""
    if "fields" not in delivery.payload or any("account" in name for name in delivery.payload["fields"]):
        follow_accounts(contacts=_records(delivery), acting=current_actor())


@receives("deal.updated")
def follow_deal(delivery: Delivery) -> None:
    """A deal may belong to another account now."""
    if "fields" not in delivery.payload or any("account" in name for name in delivery.payload["fields"]):
        follow_accounts(deals=_records(delivery), acting=current_actor())


def _records(delivery: Delivery) -> list[UUID]:
    if delivery.record is not None:
        return [delivery.record]
    return [UUID(pk) for pk in delivery.payload.get("records", ())]


def _by(delivery: Delivery) -> UUID | None:
    member = delivery.payload.get("by", {}).get("member")
    return UUID(member) if member else None
