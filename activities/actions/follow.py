"""Activities and tasks repeat the account of their deal, or else of their contact; this keeps the two together."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from activities.models import Activity, Task
from contacts.models import Contact
from crm.actions.base import action
from crm.tenancy.context import Actor
from deals.models import Deal


@action
def follow_accounts(*, contacts: Collection[UUID] = (), deals: Collection[UUID] = (), acting: Actor) -> int:
    """Gives the activities and tasks of contacts and deals the account that those have now; says how many changed.

    For the system, which reaches them all.
    """
    of_deal = Subquery(Deal.everything.filter(pk=OuterRef("deal_id")).values("account_id")[:1])
    of_contact = Subquery(Contact.everything.filter(pk=OuterRef("contact_id")).values("account_id")[:1])
    current = Coalesce(of_deal, of_contact)
    behind = (
        Q(account__isnull=True, current__isnull=False)
        | Q(account__isnull=False, current__isnull=True)
        | (Q(account__isnull=False, current__isnull=False) & ~Q(account_id=F("current")))
    )
    changed = 0
    for model in (Activity, Task):
        rows = model.everything.filter(Q(contact_id__in=contacts) | Q(deal_id__in=deals)).annotate(current=current)
        changed += rows.filter(behind).update(account_id=current)
    return changed
