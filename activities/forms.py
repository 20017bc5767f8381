"""The form of a note, a call or a meeting, in the composer above a timeline and in a dialog; and that of a task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from activities import rules
from activities.actions.log import NewActivity
from activities.actions.tasks import KEY
from activities.enums import ActivityType, CallOutcome, Direction, Priority, TaskStatus
from activities.models import Activity, Task
from crm import queries
from crm.records import schema
from crm.records.actions import editable_fields
from crm.records.forms import add_custom, custom_values
from crm.records.lookup import LookupField
from crm.records.tagnames import TagNamesField
from crm.tenancy.context import Actor
from crm.web.fields import DateField, DateTimeField

# The fields of each kind, in the order in which a dialog shows them.
FIELDS: dict[str, tuple[str, ...]] = {
    ActivityType.NOTE: ("body", "occurred_at"),
    ActivityType.CALL: ("outcome", "direction", "contact", "minutes", "occurred_at", "subject", "body"),
    ActivityType.MEETING: ("subject", "contact", "minutes", "occurred_at", "body"),
}
MOMENT = "%Y-%m-%dT%H:%M"


class ActivityForm(forms.Form):
    """What is logged. `kind` is note, call or meeting; `people` are the contacts it may have been with, as choices."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=CallOutcome.choices, initial=CallOutcome.CONNECTED)
    direction = forms.ChoiceField(
        label=_("Direction"),
        required=False,
        choices=list(reversed(Direction.choices)),
        initial=Direction.OUTBOUND,
    )
    contact = forms.ChoiceField(label=_("With"), required=False)
    subject = forms.CharField(label=_("Subject"), required=False, max_length=rules.SUBJECT_LENGTH)
    minutes = forms.IntegerField(
        label=_("Minutes"), required=False, min_value=1, max_value=int(rules.LONGEST.total_seconds()) // 60
    )
    occurred_at = forms.DateTimeField(
        label=_("When"),
        required=False,
        help_text=_("Empty: now."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT),
    )
    body = forms.CharField(
        label=_("Notes"), required=False, max_length=rules.BODY_LENGTH, widget=forms.Textarea({"rows": 4})
    )

    def __init__(
        self,
        data: Any = None,
        *,
        kind: str,
        people: Sequence[tuple[str, str]] = (),
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.kind = kind
        wanted = [name for name in FIELDS[kind] if name != "contact" or people]
        self.fields = {name: self.fields[name] for name in wanted}
        if people:
            self.fields["contact"].choices = [("", _("Nobody in particular")), *people]  # type: ignore[attr-defined]
        if kind == ActivityType.NOTE:
            self.fields["body"].label = _("Note")
        if initial:
            self.fields["occurred_at"].help_text = ""

    def ask_for_contact(self, actor: Actor) -> None:
        """For a form that no record's page opened: whom it was with must be chosen."""
        self.fields = {"contact": LookupField("contact", actor, label=_("Contact")), **self.fields}

    def _given(self) -> dict[str, Any]:
        values = {name: self.cleaned_data.get(name) for name in self.fields}
        minutes = values.pop("minutes", None)
        values.pop("contact", None)
        return {**values, "duration_seconds": minutes * 60 if minutes else None}

    def new(self, **about: UUID | None) -> NewActivity:
        """What the form says happened, with `about` (contact_id, account_id, deal_id)."""
        contact = self.cleaned_data.get("contact")
        if contact:
            about["contact_id"] = contact if isinstance(contact, UUID) else UUID(contact)
        return NewActivity(type=self.kind, **self._given(), **about)

    def changes(self) -> dict[str, Any]:
        """The values to correct an activity by. What the form shows more coarsely than it is known stays as it was,
        unless somebody changed it; and so does the moment where the field was emptied."""
        given = self._given()
        if given["occurred_at"] is None or _minute(given["occurred_at"]) == _minute(self.initial.get("occurred_at")):
            del given["occurred_at"]
        if self.cleaned_data.get("minutes") == self.initial.get("minutes"):
            del given["duration_seconds"]
        return given


def _minute(moment: datetime | None) -> datetime | None:
    return moment.replace(second=0, microsecond=0) if moment else None


def initial_of(activity: Activity) -> dict[str, Any]:
    """What the form of an existing activity shows."""
    seconds = activity.duration_seconds
    return {
        "outcome": activity.outcome, "direction": activity.direction, "subject": activity.subject,
        "body": activity.body, "occurred_at": activity.occurred_at,
        "minutes": max(1, seconds // 60) if seconds else None,
    }  # fmt: skip


# The form's fields by the record type's, where they differ.
PARTS = {"due_at": ("due_on", "due_time")}
_KINDS = {"contact": _("Contact"), "account": _("Account"), "deal": _("Deal")}


class TaskForm(forms.Form):
    """A task; its day and its time are asked for apart, since many tasks have no time.

    `about` is the record whose page opened the form: a task about it asks for no other.
    """

    title = forms.CharField(label=_("What is to be done?"), max_length=rules.SUBJECT_LENGTH)
    due_on = DateField(label=_("Due on"), required=False)
    due_time = forms.TimeField(
        label=_("At"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=_("Empty: any time that day."),
    )  # fmt: skip
    owner = forms.TypedChoiceField(label=_("Assigned to"), coerce=UUID)
    priority = forms.ChoiceField(label=_("Priority"), choices=Priority.choices, initial=Priority.NORMAL)
    status = forms.ChoiceField(label=_("Status"), choices=TaskStatus.choices)
    reminder_at = DateTimeField(label=_("Reminder"), required=False)
    tags = TagNamesField(required=False)
    description = forms.CharField(
        label=_("Description"), required=False, max_length=rules.BODY_LENGTH,
        widget=forms.Textarea({"rows": 3}),
    )  # fmt: skip

    WIDE = ("title", "contact", "account", "deal", "tags", "description")

    def __init__(
        self, *args: Any, actor: Actor, currency: str, record: Task | None = None, about: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if about is None:
            self.fields |= {kind: LookupField(kind, actor, label=name, required=False) for kind, name in _KINDS.items()}
        self._keep_editable(actor)
        if record is None:
            self.fields.pop("status", None)
            self.initial.setdefault("owner", str(actor.member_id or ""))
        owner: Any = self.fields.get("owner")
        if owner is not None:
            owner.choices = [(str(pk), name) for pk, name in queries.members()]
        self.own = add_custom(self, KEY, actor, currency=currency, record=record)
        self.order_fields([*(name for name in self.fields if name != "description"), "description"])

    def _keep_editable(self, actor: Actor) -> None:
        """Leaves out what the actor's role may not write."""
        kept = {field.key for field in editable_fields(schema.record_type(KEY, actor), actor)}
        kept |= {part for key, parts in PARTS.items() if key in kept for part in parts}
        self.fields = {name: field for name, field in self.fields.items() if name in kept}

    def clean(self) -> dict[str, Any]:
        """A time needs its day."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("due_time") and not data.get("due_on"):
            self.add_error("due_on", _("Choose the day, too."))
        return data

    def values(self) -> dict[str, Any]:
        """What create_task and update_task take."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in self.own}
        day, at = data.pop("due_on", None), data.pop("due_time", None)
        if "due_on" in self.changed_data or "due_time" in self.changed_data:
            data["due_at"] = timezone.make_aware(datetime.combine(day, at)) if day and at else day
        return {**data, "custom": custom_values(self, self.own)} if self.own else data


def task_initial(task: Task, tags: list[str]) -> dict[str, Any]:
    """What the form of a task begins with."""
    plain = ("title", "priority", "status", "description", "reminder_at")
    due = timezone.localtime(task.due_at) if task.due_at else None
    return {
        **{name: getattr(task, name) for name in plain},
        "due_on": due.date() if due else None,
        "due_time": due.time().replace(second=0, microsecond=0) if due and task.is_timed else None,
        "owner": str(task.owner_id),
        "tags": tags,
        **{kind: getattr(task, f"{kind}_id") for kind in _KINDS},
    }
