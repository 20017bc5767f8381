"""Domain events of activities. `record` is the activity; the payload names what it is about.

`log_activities` emits "activity.logged" as batches: the payload then holds `records`, `contacts` and `deals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from crm.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEvent(Event):
    """Something about one activity. Future activities are events too: `occurred_at` tells."""

    type: str
    occurred_at: str  # ISO 8601
    contact: UUID | None
    account: UUID | None
    deal: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityLogged(ActivityEvent):
    """A note, call or meeting was put on a timeline."""

    name: ClassVar[str] = "activity.logged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityUpdated(ActivityEvent):
    """An activity was corrected."""

    name: ClassVar[str] = "activity.updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDeleted(ActivityEvent):
    """An activity went to the recycle bin."""

    name: ClassVar[str] = "activity.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRestored(ActivityEvent):
    """An activity came back from the recycle bin."""

    name: ClassVar[str] = "activity.restored"
