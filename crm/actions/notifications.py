"""Telling members what concerns them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from crm.actions.base import action
from crm.models import Notification
from crm.tenancy.context import Actor


def notify(member_id: UUID, kind: str, *, record_type: str = "", record: UUID | None = None, **data: Any) -> Notification:
    """Puts a notification into a member's inbox. Called by actions and receivers, inside the organisation.

    `kind` names the sentence (crm.records.notices); `data` holds the names it needs, as they are now.
    """
    return Notification.objects.create(
        member_id=member_id, kind=kind, record_type=record_type, record=record, data=data
    )


@action
def mark_all_read(*, acting: Actor) -> int:
    """Marks the actor's notifications as read; says how many there were."""
    return Notification.objects.filter(member_id=acting.member_id, read_at__isnull=True).update(read_at=timezone.now())
