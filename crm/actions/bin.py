"""Deleting and restoring, for everything that has a place in the recycle bin (crm.records.bin).

A record keeps its row, its children and its links while it lies there; `deleted_at` hides all of them. What else named
it and was emptied stands in its entry, so that the whole group comes back as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access, rules
from crm.actions.base import action
from crm.audit import change_set
from crm.enums import ChangeSetKind
from crm.events import emit, emit_batch
from crm.events.outbox import record_event
from crm.lib.errors import Conflict, Forbidden, NotFound
from crm.models import BinEntry
from crm.records.bin import BinType, bin_type, count_along, entries_of, may_restore, visible_entries
from crm.records.unique import taken_fields, unique_while_live
from crm.tenancy import context
from crm.tenancy.context import Actor, elevated
from crm.tenancy.fields import new_id

MOST = 200  # records that one request restores or purges
NAME = 200  # characters of a name that the bin keeps


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what did not: names with the reason."""

    records: list[Any] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


# ---------------------------------------------------------------- into the bin


@action
def delete_record(key: str, pk: UUID | str, *, acting: Actor) -> Any:
    """Moves a record to the recycle bin, with everything that hangs on it.

    Raises NotFound, and Forbidden for one that was only shared with the actor.
    """
    kind = bin_type(key)
    record = access.get_writable(kind.model, pk, acting)
    put(kind, [record], acting)
    return record


@action
def delete_records(key: str, pks: Collection[UUID], *, acting: Actor) -> list[Any]:
    """Moves many records to the recycle bin, in a fixed number of statements. All of them or none.

    Raises NotFound when one of them is absent or not the actor's to change, and Forbidden like `delete_record`.
    """
    kind = bin_type(key)
    rows = kind.model._default_manager.filter(
        access.writable_q(kind.model, acting), pk__in=pks, deleted_at__isnull=True
    )
    records = list(rows.select_for_update(of=("self",)).order_by("pk"))
    if len(records) != len(set(pks)):
        raise access.absent(kind.model)
    if records:
        put(kind, records, acting)
    return records


def put(kind: BinType, records: Sequence[Any], acting: Actor) -> None:
    """Moves locked records to the bin. Raises Forbidden where one was only shared with the actor, or must stay."""
    if not all(may_manage(kind, record, acting) for record in records):
        raise Forbidden(_("Only its owner, their manager or an administrator can delete this."))
    for reason in kind.rules.must_stay(records, acting).values():
        raise Forbidden(reason)
    ids = [record.pk for record in records]
    along, emptied = count_along(kind, ids), _empty(kind, ids)
    _mark(kind, records, timezone.now())
    entries = [
        BinEntry(
            id=new_id(), record_type=kind.key, record=record.pk, table_name=kind.model._meta.db_table,
            name=kind.name(record)[:NAME], owner_id=getattr(record, "owner_id", None), deleted_by_id=acting.member_id,
            change_set_id=context.current_change_set_id(), along=along[record.pk], emptied=emptied[record.pk],
        )
        for record in records
    ]  # fmt: skip
    BinEntry.objects.bulk_create(entries, batch_size=1000)
    _tell(kind, "deleted", records)
    kind.rules.after_delete(records, acting)


def _tell(kind: BinType, what: str, records: Sequence[Any]) -> None:
    """The event of one record, "deleted" or "restored"; of several, batch events."""
    if len(records) == 1:
        make = kind.rules.deleted if what == "deleted" else kind.rules.restored
        emit(make(records[0]) if make else record_event(kind.key, what, records[0].pk))
    elif kind.rules.tell_many is not None:
        kind.rules.tell_many(what, records)
    else:
        emit_batch(f"{kind.key}.{what}", [record.pk for record in records])


def may_manage(kind: BinType, record: Any, acting: Actor) -> bool:
    """Who deletes and restores: a record's owner, their managers, admins; not those it was only shared with."""
    return acting.write == "all" or (kind.has_owner and rules.may_share(acting, record.owner_id))


def _mark(kind: BinType, records: Sequence[Any], moment: Any) -> None:
    """Writes `deleted_at` of locked records and their next version, and shows both on the objects."""
    now = timezone.now()
    rows = kind.model._base_manager.filter(pk__in=[record.pk for record in records])
    rows.update(deleted_at=moment, updated_at=now, version=F("version") + 1)
    for record in records:
        record.deleted_at, record.updated_at, record.version = moment, now, record.version + 1


def _empty(kind: BinType, ids: Collection[UUID]) -> dict[UUID, dict[str, list[str]]]:
    """Empties the columns that name the records; which rows they were of, by record and column."""
    found: dict[UUID, dict[str, list[str]]] = defaultdict(dict)
    for emptied in kind.rules.emptied:
        with elevated("rows that name a deleted record, which its deleter may not see, name it no more either"):
            rows = emptied.model._base_manager.filter(**{f"{emptied.column}__in": ids}).order_by("pk")
            naming = list(rows.select_for_update(of=("self",), no_key=True).values_list("pk", emptied.column))
            if naming:
                pks = [pk for pk, _record in naming]
                emptied.model._base_manager.filter(pk__in=pks).update(**{emptied.column: None})
        for pk, record in naming:
            found[record].setdefault(emptied.key, []).append(str(pk))
    return found


# ---------------------------------------------------------------- out of the bin


@action
def restore_record(key: str, pk: UUID | str, *, acting: Actor) -> Any:
    """Takes a record out of the recycle bin, with everything that went with it.

    Raises NotFound, Forbidden for one that was only shared with the actor, and Conflict where it can't come back.
    """
    kind = bin_type(key)
    records = deleted_locked(kind, [pk] if access.is_uuid(pk) else [], acting)
    if not records:
        raise access.absent(kind.model)
    if not may_manage(kind, records[0], acting):
        raise Forbidden(_("Only its owner, their manager or an administrator can restore this."))
    with change_set(ChangeSetKind.RESTORE, _("Restored from the recycle bin"), acting=acting):
        restored = take(kind, records, acting)
    if restored.refused:
        raise Conflict(restored.refused[0][1])
    return restored.records[0]


@action
def restore_entries(entry_ids: Collection[UUID], *, acting: Actor) -> Restored:
    """Takes several records out of the recycle bin, in one change set, and says which of them can't come back.

    Raises NotFound when an entry is gone or not the actor's to see, Forbidden when one is not theirs to restore.
    """
    entries = list(visible_entries(acting).filter(pk__in=list(entry_ids)[:MOST]))
    if not entries or len(entries) != len(set(entry_ids)):
        raise NotFound(_("One of these records is not in the recycle bin any more. Reload the page."))
    if not all(may_restore(entry, acting) for entry in entries):
        raise Forbidden(_("Only its owner, their manager or an administrator can restore this."))
    result = Restored()
    with change_set(ChangeSetKind.RESTORE, _("Restored from the recycle bin"), acting=acting):
        for key in sorted({entry.record_type for entry in entries}):
            kind = bin_type(key)
            records = deleted_locked(kind, [entry.record for entry in entries if entry.record_type == key], acting)
            part = take(kind, records, acting)
            result.records.extend(part.records)
            result.refused.extend(part.refused)
    if len(result.records) + len(result.refused) != len(entries):
        # Somebody else was faster with one of them.
        raise NotFound(_("One of these records is not in the recycle bin any more. Reload the page."))
    return result


def deleted_locked(kind: BinType, pks: Iterable[UUID | str], acting: Actor) -> list[Any]:
    """Deleted records that the actor may write, locked in the order of their ids."""
    rows = kind.model._base_manager.filter(access.writable_q(kind.model, acting), pk__in=list(pks))
    return list(rows.filter(deleted_at__isnull=False).select_for_update(of=("self",)).order_by("pk"))


def take(kind: BinType, records: Sequence[Any], acting: Actor) -> Restored:
    """Restores locked records, those that can come back; one by one where they may be in each other's way."""
    if len(records) > 1 and unique_while_live(kind.model):
        parts = [take(kind, [record], acting) for record in records]
        return Restored([r for part in parts for r in part.records], [r for part in parts for r in part.refused])
    refused = kind.rules.mend(records, acting)
    taken = _("Another record has a value by now that only one may have. Change it there first.")
    refused |= {record.pk: taken for record in records if record.pk not in refused and taken_fields(record)}
    back = [record for record in records if record.pk not in refused]
    result = Restored(back, [(kind.called(r, acting), refused[r.pk]) for r in records if r.pk in refused])
    if not back:
        return result
    _mark(kind, back, None)
    entries = entries_of(kind.key, [record.pk for record in back])
    _fill(kind, list(entries.select_for_update(of=("self",))))
    entries.delete()
    _tell(kind, "restored", back)
    kind.rules.after_restore(back, acting)
    return result


def _fill(kind: BinType, entries: Sequence[BinEntry]) -> None:
    """Lets the rows name the records again that named them when they were deleted and name nothing else by now."""
    for emptied in kind.rules.emptied:
        for entry in entries:
            ids = entry.emptied.get(emptied.key)
            if ids:
                still = emptied.still(entry.record) if emptied.still else Q()
                with elevated("rows that a restorer may not see name the restored record again"):
                    rows = emptied.model._base_manager.filter(still, pk__in=ids, **{f"{emptied.column}__isnull": True})
                    rows.update(**{emptied.column: entry.record})
