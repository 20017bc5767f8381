"""An import as its pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from contacts.imports import planning
from contacts.imports.planning import ME
from contacts.imports.reading import RawRow
from contacts.imports.targets import ImportField, Parsed, Result, Target
from contacts.models.importing import ImportJob
from contacts.values import EmailValue
from crm import queries
from crm.web import formats

SAMPLES = 3
TONES = {
    "created": ("green", "plus"),
    "updated": ("blue", "pencil"),
    "skipped": ("gray", "minus"),
    "failed": ("red", "circle-x"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file on the page that matches columns."""

    number: int
    name: str
    samples: list[str]
    key: str


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row of the preview: what becomes of it, why, and its cells as they were understood."""

    line: int
    outcome: str
    label: str
    tone: str
    icon: str
    reason: str
    cells: list[str]


def outcome_labels() -> dict[str, str]:
    """What is said of a row that would become so."""
    return {"created": _("Create"), "updated": _("Update"), "skipped": _("Skip"), "failed": _("Error")}


def columns_to_match(job: ImportJob, target: Target) -> list[Column]:
    """Every column of the file with the first values in it."""
    rows = planning.first_rows(job)
    mapping = planning.mapping_of(job)
    columns = []
    for number, name in enumerate(job.header):
        values = [row.cells[number].strip() for row in rows if row.cells]
        samples = list(dict.fromkeys(value[:40] for value in values if value))[:SAMPLES]
        columns.append(Column(number, name, samples, mapping.get(number, "")))
    return columns


def preview_rows(job: ImportJob, target: Target, rows: Sequence[tuple[RawRow, Parsed, Result]]) -> list[PreviewRow]:
    """The preview, a cell per matched column."""
    columns = planning.columns_of(job, target)
    labels = outcome_labels()
    members = dict(queries.members())
    found = []
    for raw, parsed, result in rows:
        tone, icon = TONES[result.outcome]
        cells = [_shown(raw, number, field, parsed, members) for number, field in columns.items()]
        found.append(PreviewRow(raw.line, result.outcome, labels[result.outcome], tone, icon, result.reason, cells))
    return found


def _shown(raw: RawRow, number: int, field: ImportField, parsed: Parsed, members: dict[UUID, str]) -> str:
    text = raw.cells[number].strip() if raw.cells else ""
    value: Any = parsed.values.get(field.key)
    if not text or value is None:
        return text
    match value:
        case UUID():
            return members.get(value, text)
        case datetime() | date():
            return formats.date_full(value)
        case int() if field.kind == "money":
            return formats.money(value, parsed.values["currency"])
        case bool():
            return _("Yes") if value else _("No")
        case list() if value and isinstance(value[0], EmailValue):
            return text
        case str() if value == ME and field.kind == "owner":
            return _("Me")
        case str():
            return str(dict(field.choices).get(value, value))
        case _:
            return text
