"""What others did to a record while somebody was editing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from crm.models import AuditEntry, Membership
from crm.records.history import Change, redact
from crm.records.registry import RecordType
from crm.tenancy.context import Actor


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """The changes since a version: whose the last one was and when, and every field that is different now."""

    by: str
    at: datetime
    changes: tuple[Change, ...]

    def touches(self, key: str) -> bool:
        """Whether a field is among them."""
        return any(change.key == key for change in self.changes)


def meanwhile(record_type: RecordType, record: Any, version: int, actor: Actor) -> Meanwhile | None:
    """What happened to a record after a version of it, as far as the actor may see it; None when nothing did."""
    entries = list(
        AuditEntry.objects.filter(
            table_name=record_type.model._meta.db_table, row_id=record.pk, operation="U", version__gt=version
        ).order_by("id")
    )
    if not entries:
        return None
    diff: dict[str, list[Any]] = {}
    for entry in entries:
        for column, (old, new) in (entry.diff or {}).items():
            diff[column] = [diff[column][0] if column in diff else old, new]
    member = Membership.objects.select_related("user").filter(pk=entries[-1].actor_id).first()
    changes = tuple(redact(actor, record_type, diff, record=record))
    return Meanwhile(member.name if member else _("Somebody"), entries[-1].at, changes)
