"""With whom a record is shared, for the dialog that changes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from crm.enums import ShareLevel


@dataclass(frozen=True, slots=True)
class SharedWith:
    """One share as people read it: `last` is its last moment; `is_over` when that has passed and it gives nothing."""

    id: UUID
    name: str
    is_team: bool
    level: str
    level_label: str
    last: datetime | None
    is_over: bool


def shares_of(record: Any) -> list[SharedWith]:
    """The shares of a record, by name; of somebody who has left the organisation, none."""
    rows = record.shares.filter(Q(team__isnull=False) | Q(member__active=True)).values_list(
        "id", "team_id", "team__name", "member__user__name", "member__user__email", "level", "until"
    )
    now = timezone.now()
    found = []
    for pk, team_id, team, name, email, level, until in rows:
        shown = team if team_id else (name or email.partition("@")[0])
        label = str(ShareLevel(level).label)
        last = until - timedelta(microseconds=1) if until else None
        found.append(SharedWith(pk, shown, bool(team_id), level, label, last, until is not None and until <= now))
    return sorted(found, key=lambda share: (share.is_team, share.name.casefold()))
