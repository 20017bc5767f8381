"""The form of a note, a call or a meeting: in the composer above a timeline, and in a dialog."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from activities import rules
from activities.actions.log import NewActivity
from activities.enums import ActivityType, CallOutcome, Direction
from activities.models import Activity
from crm.records.lookup import LookupField
from crm.tenancy.context import Actor

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
