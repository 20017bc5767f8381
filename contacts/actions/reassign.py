"""Handing over everything of a member who leaves."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F
from django.utils import timezone

from contacts.models import Account, Contact
from crm.actions.base import action
from crm.tenancy.context import Actor, elevated


@action
def reassign_contacts_and_accounts(old: UUID, new: UUID, *, acting: Actor) -> int:
    """Gives all contacts and accounts of one member to another, the recycle bin's too; how many there were.

    The caller has checked that the actor may arrange members, and records it as one change set.
    """
    changes = {"owner_id": new, "version": F("version") + 1, "updated_at": timezone.now()}
    with elevated("records of a member who leaves, reassigned by somebody who may arrange members"):
        return sum(model.everything.filter(owner_id=old).update(**changes) for model in (Contact, Account))
