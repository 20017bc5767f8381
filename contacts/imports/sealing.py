"""Cells of rows that were not imported, where their column fills an encrypted field: encrypted, as the field's values
are. Who downloads the rows gets them in plain text, if their role sees the field."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from contacts.imports.own import PREFIX
from contacts.imports.planning import mapping_of
from contacts.models.importing import ImportJob
from crm.lib import crypto
from crm.models import CustomField
from crm.records import schema
from crm.tenancy.context import Actor

PURPOSE = "import_row"
SEALED = "sealed"  # key of what stands in place of a cell's text: {"sealed": the encrypted text}

Cell = str | dict[str, str]


def sealed_columns(job: ImportJob) -> set[int]:
    """The columns that fill an encrypted field, also one that was deleted or closed since."""
    own = {number: key.removeprefix(PREFIX) for number, key in mapping_of(job).items() if key.startswith(PREFIX)}
    if not own:
        return set()
    rows = CustomField.everything.filter(record_type=job.record_type, encrypted=True, key__in=own.values())
    keys = set(rows.values_list("key", flat=True))
    return {number for number, key in own.items() if key in keys}


def seal(job: ImportJob, rows: Sequence[Sequence[str]], columns: Collection[int]) -> list[list[Cell]]:
    """The cells of rows as they are kept."""
    places = [(n, number) for n, cells in enumerate(rows) for number in columns if number < len(cells)]
    places = [(n, number) for n, number in places if rows[n][number]]
    kept: list[list[Cell]] = [list(cells) for cells in rows]
    texts = crypto.encrypt_many(job.org_id, [rows[n][number] for n, number in places], PURPOSE)
    for (n, number), text in zip(places, texts, strict=True):
        kept[n][number] = {SEALED: text}
    return kept


def opened(job: ImportJob, rows: Sequence[Sequence[Any]], actor: Actor) -> list[list[str]]:
    """The cells of kept rows in plain text; empty where the actor's role does not see the field."""
    seen = {PREFIX + field.key for field in schema.record_type(job.record_type, actor).fields_for(actor.role)}
    closed = {number for number, key in mapping_of(job).items() if key not in seen}
    cells = [["" if number in closed and not isinstance(c, str) else c for number, c in enumerate(r)] for r in rows]
    places = [(n, number) for n, row in enumerate(cells) for number, c in enumerate(row) if not isinstance(c, str)]
    texts = crypto.decrypt_many(job.org_id, [cells[n][number][SEALED] for n, number in places], PURPOSE)
    for (n, number), text in zip(places, texts, strict=True):
        cells[n][number] = text.decode()
    return cells
