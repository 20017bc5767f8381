"""Telling members what concerns them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone

from crm import access
from crm.actions.base import action
from crm.events import Event, emit
from crm.models import Notification
from crm.tenancy.context import Actor, elevated


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxChanged(Event):
    """A member has new notifications, or has read some. `record` is the membership."""

    name: ClassVar[str] = "member.inbox_changed"


def notify(
    member_id: UUID, kind: str, *, record_type: str = "", record: UUID | None = None, **data: Any
) -> Notification:
    """Puts a notification into a member's inbox. Called by actions and receivers, inside the organisation.

    `kind` names the sentence (crm.records.notices); `data` holds the names it needs, as they are now.
    """
    made = Notification.objects.create(
        member_id=member_id, kind=kind, record_type=record_type, record=record, data=data
    )
    emit(InboxChanged(record=member_id))
    return made


def notify_all(
    member_ids: Collection[UUID], kind: str, *, record_type: str = "", record: UUID | None = None, **data: Any
) -> None:
    """As `notify`, for several members at once. Two statements, however many they are."""
    if not member_ids:
        return
    Notification.objects.bulk_create(
        Notification(member_id=member_id, kind=kind, record_type=record_type, record=record, data=data)
        for member_id in member_ids
    )
    emit(*(InboxChanged(record=member_id) for member_id in member_ids))


def notify_once(
    member_id: UUID, kind: str, event_id: int, *, record_type: str = "", record: UUID | None = None, **data: Any
) -> Notification | None:
    """As `notify`, for receivers: an event that is delivered again (`event_id` is its id) tells nothing twice."""
    known = Notification.objects.filter(member_id=member_id, kind=kind, record=record, data__event=event_id)
    if known.exists():
        return None
    return notify(member_id, kind, record_type=record_type, record=record, **data, event=event_id)


@action
def mark_all_read(*, acting: Actor) -> int:
    """Marks the actor's notifications as read; says how many there were."""
    unread = Notification.objects.filter(member_id=acting.member_id, read_at__isnull=True)
    count = unread.update(read_at=timezone.now())
    if count and acting.member_id is not None:
        _tell_pages(acting.member_id)
    return count


@action
def mark_read(notification_id: UUID | str, *, acting: Actor) -> Notification:
    """Marks one of the actor's own notifications as read. Raises NotFound for anybody else's."""
    mine = Notification.objects.filter(member_id=acting.member_id)
    found = mine.filter(pk=notification_id).first() if access.is_uuid(notification_id) else None
    if found is None:
        raise access.absent(Notification)
    if found.read_at is None and acting.member_id is not None:
        found.read_at = timezone.now()
        mine.filter(pk=found.pk).update(read_at=found.read_at)
        _tell_pages(acting.member_id)
    return found


@action
def mark_read_about(record: UUID, *, acting: Actor) -> int:
    """Marks what tells the actor of something that they look at as read; says how much that was."""
    waiting = Notification.objects.filter(member_id=acting.member_id, record=record, read_at__isnull=True)
    count = waiting.update(read_at=timezone.now())
    if count and acting.member_id is not None:
        _tell_pages(acting.member_id)
    return count


def _tell_pages(member_id: UUID) -> None:
    # Read-only members write nothing but what is their own, and an event has no owner.
    with elevated("an event about one's own inbox"):
        emit(InboxChanged(record=member_id))
