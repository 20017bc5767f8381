"""Activities as what contacts, accounts and deals are filtered by. They have a timeline, but no list of their own."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from activities.enums import ActivityType, Direction, Source
from activities.models import Activity
from crm.records.registry import Field, FieldType, RecordType, Relation

ACTIVITY = RecordType(
    key="activity",
    model=Activity,
    label=_("Activity"),
    label_plural=_("Activities"),
    icon="history",
    fields=(
        Field("type", _("Type"), FieldType.CHOICE, choices=ActivityType, filterable=True),
        Field("occurred_at", _("When"), FieldType.DATETIME, filterable=True),
        Field(
            "owner", _("Logged by"), FieldType.MEMBER, path="owner_id", label_paths=("owner__user__name",),
            filterable=True,
        ),
        Field("subject", _("Subject"), FieldType.TEXT, filterable=True),
        Field("body", _("Text"), FieldType.LONG_TEXT, filterable=True),
        Field("direction", _("Direction"), FieldType.CHOICE, choices=Direction, filterable=True),
        Field("outcome", _("Outcome"), FieldType.TEXT, filterable=True),
        Field("duration_seconds", _("Duration in seconds"), FieldType.NUMBER, filterable=True),
        Field("source", _("Source"), FieldType.CHOICE, choices=Source, filterable=True),
    ),
    name_paths=("subject",),
)  # fmt: skip


def of(kind: str) -> Relation:
    """The activities of a contact, an account or a deal."""
    return Relation("activities", _("Activities"), "activity", f"{kind}_id")
