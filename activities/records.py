"""Activities and tasks as record types: what lists, filters, forms, export and history know of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from activities import rules
from activities.actions import edits, log, tasks
from activities.enums import BY_SYSTEM, ActivityType, CallOutcome, Direction, Priority, Source, TaskStatus
from activities.models import Activity, Task
from crm import access
from crm.records.registry import Bulk, Check, Deadline, Field, FieldType, LeftOut, RecordType, Relation
from crm.tenancy.context import Actor

ABOUT = ("contact", "account", "deal")
STATUS_TONES = {"todo": "gray", "in_progress": "blue", "done": "green"}
PRIORITY_TONES = {"low": "gray", "normal": "blue", "high": "amber", "urgent": "red"}
TYPE_TONES = {
    "email": "blue", "call": "green", "meeting": "pink", "note": "amber", "task": "teal", "sms": "blue",
    "stage_change": "violet", "system": "gray",
}  # fmt: skip
OUTCOME_TONES = {"connected": "green", "no_answer": "gray", "voicemail": "blue", "busy": "amber", "wrong_number": "red"}


def _member(key: str, label: Any, *, editable: bool = True) -> Field:
    return Field(
        key, label, FieldType.MEMBER, path=f"{key}_id", label_paths=(f"{key}__user__name",), filterable=True,
        editable=editable,
    )  # fmt: skip


def _about(*, once: bool = False) -> tuple[Field, ...]:
    """The records that something is about."""

    def lookup(key: str, label: Any, *names: str) -> Field:
        return Field(
            key, label, FieldType.LOOKUP, path=f"{key}_id", target=key, url_name=f"{key}_detail", filterable=True,
            label_paths=tuple(f"{key}__{name}" for name in names), once=once,
        )  # fmt: skip

    return (
        lookup("contact", _("Contact"), "first_name", "last_name"),
        lookup("account", _("Account"), "name"),
        lookup("deal", _("Deal"), "name"),
    )


def create_activity_from(values: Mapping[str, Any], *, acting: Actor) -> Activity:
    """log_activity for values by field key. Raises what it does."""
    given = {key: value for key, value in values.items() if key in ("type", *rules.EDITABLE) and value is not None}
    about = {f"{key}_id": values[key] for key in ABOUT if values.get(key)}
    return log.log_activity(log.NewActivity(**{"type": "", **given, **about}), acting=acting)


def update_activity_from(
    pk: UUID | str, values: Mapping[str, Any], *, acting: Actor, version: int | None = None
) -> Activity:
    """update_activity for values by field key, such as a form sends: what stays as it is counts for nothing."""
    activity = access.get_writable(Activity, pk, acting)
    present = {key: getattr(activity, f"{key}_id" if key in ABOUT else key, None) for key in values}
    changed = {key: value for key, value in values.items() if value != present[key]}
    return log.update_activity(pk, changed, acting=acting, version=version)


ACTIVITY = RecordType(
    key="activity",
    model=Activity,
    label=_("Activity"),
    label_plural=_("Activities"),
    icon="history",
    fields=(
        Field("type", _("Type"), FieldType.CHOICE, choices=ActivityType, tones=TYPE_TONES, filterable=True,
              required=True, once=True),
        Field("subject", _("Subject"), FieldType.TEXT, filterable=True),
        Field("occurred_at", _("When"), FieldType.DATETIME, sortable=True, filterable=True),
        _member("owner", _("Logged by"), editable=False),
        *_about(once=True),
        Field("body", _("Text"), FieldType.LONG_TEXT, filterable=True),
        Field("direction", _("Direction"), FieldType.CHOICE, choices=Direction, filterable=True),
        Field("outcome", _("Outcome"), FieldType.CHOICE, choices=CallOutcome, tones=OUTCOME_TONES, filterable=True),
        Field("duration_seconds", _("Duration in seconds"), FieldType.NUMBER, filterable=True),
        Field("source", _("Source"), FieldType.CHOICE, choices=Source, filterable=True, editable=False),
    ),
    name_paths=("subject",),
    name_fallback="body",
    name_label=_("Subject"),
    subtitle=("type", "occurred_at"),
    list_columns=("type", "occurred_at", "owner", "contact", "account", "deal", "outcome"),
    default_sort="-occurred_at",
    search_words=("subject", "body"),
    create=create_activity_from,
    update=update_activity_from,
    bulk=Bulk(written=edits.tell_activities),
    closed=lambda activity: rules.closed(activity.type),
    url_names={
        "list": "activity_list", "detail": "activity_detail", "new": "activity_new", "edit": "activity_edit",
    },
    left_out=LeftOut(Q(type__in=BY_SYSTEM), unless="type"),
    takes_fields=False,
)  # fmt: skip

TASK = RecordType(
    key=tasks.KEY,
    model=Task,
    label=_("Task"),
    label_plural=_("Tasks"),
    icon="square-check",
    fields=(
        Field("title", _("Title"), FieldType.TEXT, sort_path="title_norm", required=True, filterable=True),
        Field(
            "due_at", _("Due"), FieldType.DATETIME, sort_path="agenda_at", sortable=True, filterable=True,
            always=True, deadline=Deadline(met="completed_at", timed="is_timed"),
        ),
        Field(
            "status", _("Status"), FieldType.CHOICE, choices=TaskStatus, tones=STATUS_TONES, required=True,
            filterable=True, always=True,
        ),
        Field(
            "priority", _("Priority"), FieldType.CHOICE, choices=Priority, tones=PRIORITY_TONES, required=True,
            filterable=True,
        ),
        _member("owner", _("Assigned to")),
        *_about(),
        Field("reminder_at", _("Reminder"), FieldType.DATETIME, filterable=True),
        Field("completed_at", _("Completed"), FieldType.DATETIME, filterable=True, editable=False, always=True),
        Field("tags", _("Tags"), FieldType.TAGS, filterable=True),
        Field("description", _("Description"), FieldType.LONG_TEXT, filterable=True),
        _member("created_by", _("Created by"), editable=False),
        Field("created_at", _("Created"), FieldType.DATETIME, filterable=True, editable=False, always=True),
        Field(
            "updated_at", _("Updated"), FieldType.DATETIME, sortable=True, filterable=True, editable=False, always=True
        ),
    ),
    name_paths=("title",),
    name_sort_path="title_norm",
    name_label=_("Task"),
    subtitle=("due_at", "owner"),
    list_columns=("due_at", "priority", "status", "owner", "contact", "account", "deal", "tags"),
    default_sort="due_at",
    search_paths=("title_norm",),
    search_words=("title_norm",),
    create=tasks.create_task,
    update=tasks.update_task,
    bulk=Bulk(written=edits.tell_tasks),
    url_names={"list": "task_list", "detail": "task_detail", "new": "task_new", "edit": "task_edit"},
    check=Check("task_completion", "completed_at", _("Done: %(name)s")),
)  # fmt: skip


def of(kind: str) -> tuple[Relation, ...]:
    """The activities and the tasks of a contact, an account or a deal."""
    return (
        Relation("activities", _("Activities"), "activity", f"{kind}_id"),
        Relation("tasks", _("Tasks"), "task", f"{kind}_id"),
    )
