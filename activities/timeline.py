"""The rows of entries that apps below this one put on timelines (crm.records.timeline)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from activities.enums import Source
from activities.models import Activity
from crm.records.timeline import Entry
from crm.tenancy.backend.kept import new_row
from crm.tenancy.context import Actor

SOURCES = {"import": Source.IMPORT, "automation": Source.AUTOMATION, "token": Source.API}


def make_rows(entries: Sequence[Entry], acting: Actor) -> list[Activity]:
    """Entries of the system as unsaved rows. The actor is who caused them."""
    now, source = timezone.now(), SOURCES.get(acting.kind, Source.SYSTEM)
    return [
        new_row(
            Activity, type=entry.kind, data=entry.data, occurred_at=entry.occurred_at or now, source=source,
            owner_id=acting.member_id, contact_id=entry.contact_id, account_id=entry.account_id,
            deal_id=entry.deal_id,
        )
        for entry in entries
    ]  # fmt: skip
