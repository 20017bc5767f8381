"""Domain events of activities and tasks. `record` is the activity; the payload names what it is about.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent(Event):
    """Something about one task; `owner` is to do it."""

    owner: UUID
    contact: UUID | None
    account: UUID | None
    deal: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCreated(TaskEvent):
    """A task was added."""

    name: ClassVar[str] = "task.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskUpdated(TaskEvent):
    """Columns of a task changed, other than whether it is done; `previous_owner` had it before."""

    name: ClassVar[str] = "task.updated"
    previous_owner: UUID
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(TaskEvent):
    """A task was done."""

    name: ClassVar[str] = "task.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReopened(TaskEvent):
    """A task that was done is to be done again."""

    name: ClassVar[str] = "task.reopened"
