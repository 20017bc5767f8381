"""A change set as its page shows it: what it did to the first records, and what an undo would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm import access
from crm.models import AuditEntry, ChangeSet
from crm.records import schema, undoing
from crm.records.customhistory import expanded
from crm.records.history import Change, Group, Reader, Row, kind_of
from crm.records.registry import RecordType
from crm.records.undoing import Fate
from crm.tenancy.context import Actor, elevated

FIRST = 20  # records whose changes are shown
LOOKED_AT = 1000  # records whose fate is foretold


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that a change set wrote: `what` is created, deleted, restored or changed."""

    kind: RecordType
    record: Any
    what: str
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Foretold:
    """What an undo would do: how many records go back, are right already, were deleted, are not the actor's; and those
    that were changed since, as (type, record, by whom), as far as the actor sees them. `more` were not looked at."""

    back: int
    same: int
    deleted: int
    refused: int
    conflicts: int
    clashes: list[tuple[RecordType, Any, str]]
    more: int


def first_changes(made: ChangeSet, chosen: Sequence[tuple[str, list[UUID]]], actor: Actor) -> list[Changed]:
    """What a change set did to the first records that the actor sees."""
    found: list[Changed] = []
    for key, ids in chosen:
        kind = schema.record_type(key, actor)
        rows = kind.model._default_manager.filter(access.visible_q(kind.model, actor), pk__in=ids[:LOOKED_AT])
        records = list(rows.order_by("pk")[: FIRST - len(found)])
        found += _changes(made, kind, records, actor)
        if len(found) >= FIRST:
            break
    return found


def _changes(made: ChangeSet, kind: RecordType, records: Sequence[Any], actor: Actor) -> list[Changed]:
    table = kind.model._meta.db_table
    entries = AuditEntry.objects.filter(
        change_set_id=made.pk, table_name=table, row_id__in=[record.pk for record in records]
    )
    groups: dict[UUID, Group] = {}
    for entry in entries.order_by("id"):
        row = Row(table, entry.row_id, entry.operation, expanded(entry.diff or {}), entry.pk)
        former = groups[entry.row_id].rows if entry.row_id in groups else ()
        groups[entry.row_id] = Group(entry.at, entry.pk, entry.actor_id, entry.actor_kind, made.pk, (*former, row))
    reader = Reader(actor, kind)
    reader.prepare(list(groups.values()))
    return [
        Changed(kind, record, kind_of(groups[record.pk], kind), reader.changes(groups[record.pk]))
        for record in records
        if record.pk in groups
    ]


def foretold(made: ChangeSet, chosen: Sequence[tuple[str, list[UUID]]], actor: Actor) -> Foretold:
    """What an undo would do to the first records of a change set, without doing it."""
    counts: Counter[Fate] = Counter()
    clashes: list[tuple[RecordType, Any, str]] = []
    left = LOOKED_AT
    for key, ids in chosen:
        kind, part = schema.record_type(key, actor), ids[:left]
        left -= len(part)
        rows = undoing.logged_rows(kind, made.pk, part)
        with elevated("what an undo would do with records that it gave out of sight; nothing is told of them"):
            records = {record.pk: record for record in kind.model._base_manager.filter(pk__in=rows)}
        fates = undoing.fates(kind, rows, records, actor)
        counts.update(fates.values())
        clashes += _clashes(kind, [pk for pk, fate in fates.items() if fate == Fate.CONFLICT], actor)
    total = sum(len(ids) for _key, ids in chosen)
    back = counts[Fate.BACK] + counts[Fate.RESTORED] + counts[Fate.REMOVED]
    return Foretold(
        back, counts[Fate.SAME], counts[Fate.DELETED], counts[Fate.REFUSED], counts[Fate.CONFLICT], clashes,
        max(0, total - LOOKED_AT),
    )  # fmt: skip


def _clashes(kind: RecordType, ids: Sequence[UUID], actor: Actor) -> list[tuple[RecordType, Any, str]]:
    seen = kind.model._default_manager.filter(access.visible_q(kind.model, actor), pk__in=ids).order_by("pk")[:FIRST]
    by = undoing.changed_by(kind, [record.pk for record in seen])
    return [(kind, record, by.get(record.pk, "")) for record in seen]
