"""What records are called in the system they came from, so that a second import finds them and deals find their
contacts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from contacts.imports.targets import Settings
from crm.models import ExternalId


def known_records(record_type: str, external_ids: Iterable[str], settings: Settings) -> dict[str, UUID]:
    """The record of each id of the source that was imported before."""
    wanted = {external for external in external_ids if external}
    if not wanted or settings.source == "other":
        return {}
    rows = ExternalId.objects.filter(source=settings.source, record_type=record_type, external_id__in=wanted)
    return dict(rows.values_list("external_id", "record"))


def remember(record_type: str, pairs: Sequence[tuple[str, UUID]], settings: Settings) -> None:
    """Notes the source's ids of records; ids that are noted already stay."""
    if settings.source == "other" or not pairs:
        return
    ExternalId.objects.bulk_create(
        [
            ExternalId(record_type=record_type, record=pk, source=settings.source, external_id=external)
            for external, pk in pairs
        ],
        ignore_conflicts=True,
    )
