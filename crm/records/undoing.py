"""Taking a change set back, from the audit log: which rows it changed, what they were, and whether they are still as it
left them.

A value goes back only where the row's version is the one that the change set made; whatever somebody changed since
stays, and is listed. Columns that never enter the log (secrets, encrypted values) stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access, queries
from crm.actions import bin as recycle_bin
from crm.actions.field_purge import KEEP
from crm.lib.errors import Conflict, CrmError
from crm.models import AuditEntry, CustomField, Membership
from crm.records import bulk, custom
from crm.records.bin import bin_type
from crm.records.bulk import Edit
from crm.records.bulk_queries import write_rows
from crm.records.names import Names
from crm.records.oldfit import refuse_unfit
from crm.records.registry import RecordType
from crm.tenancy.context import Actor, elevated
from crm.tenancy.models import OrgModel


class Fate(StrEnum):
    """What becomes of a record when a change set is taken back."""

    BACK = "back"  # its values go back to what they were
    RESTORED = "restored"  # it comes out of the recycle bin
    REMOVED = "removed"  # it goes to the recycle bin: the change set had made it
    SAME = "same"  # it is as it was already
    CONFLICT = "conflict"  # somebody has changed it since
    DELETED = "deleted"  # it lies in the recycle bin, or is gone
    REFUSED = "refused"  # it is not the actor's to change


@dataclass(slots=True)
class Logged:
    """What a change set did to one record: the first old values by column, the version it left, how it began."""

    old: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    created: bool = False


@dataclass(slots=True)
class Undone:
    """What became of records: how many were changed, how many were right already, and the others with the reason."""

    changed: int = 0
    unchanged: int = 0
    refused: list[tuple[UUID, str]] = field(default_factory=list)


# ---------------------------------------------------------------- what was done, and what may become of it


def logged_rows(kind: RecordType, change_set_id: UUID, ids: Collection[UUID]) -> dict[UUID, Logged]:
    """What a change set did to records of a type, by id. One statement."""
    entries = AuditEntry.objects.filter(
        change_set_id=change_set_id, table_name=kind.model._meta.db_table, row_id__in=ids
    )
    found: dict[UUID, Logged] = {}
    for row_id, operation, version, diff in entries.order_by("id").values_list(
        "row_id", "operation", "version", "diff"
    ):
        row = found.setdefault(row_id, Logged())
        row.created |= operation == "I"
        for column, sides in (diff or {}).items() if operation == "U" else ():
            row.old.setdefault(column, sides[0])
        row.version = version or row.version
    _leave_purged(kind, [row.old["custom"] for row in found.values() if row.old.get("custom")])
    return found


def _leave_purged(kind: RecordType, values: Sequence[dict[str, Any]]) -> None:
    """Takes old values of fields out that are deleted for good, or being so: they don't come back by an undo."""
    if values:
        there = Q(deleted_at__isnull=True) | Q(deleted_at__gt=timezone.now() - KEEP)
        keys = set(CustomField.everything.filter(there, record_type=kind.key).values_list("key", flat=True))
        for old in values:
            for key in old.keys() - keys:
                del old[key]


def fates(
    kind: RecordType, rows: Mapping[UUID, Logged], records: Mapping[UUID, Any], acting: Actor
) -> dict[UUID, Fate]:
    """What becomes of each record. `records` are those that still exist, the recycle bin's too."""
    rows_of = kind.model._default_manager.filter(pk__in=rows)
    writable = set(rows_of.filter(access.writable_q(kind.model, acting)).values_list("pk", flat=True))
    seen = set(rows_of.filter(access.visible_q(kind.model, acting)).values_list("pk", flat=True))
    found = {pk: _fate(kind, row, records.get(pk), acting, may_write=pk in writable) for pk, row in rows.items()}
    # What became of records out of sight is not told: they go back, or they don't.
    return {
        pk: fate if fate == Fate.BACK or pk in seen or acting.read == "all" else Fate.REFUSED
        for pk, fate in found.items()
    }


def _fate(kind: RecordType, row: Logged, record: Any, acting: Actor, *, may_write: bool) -> Fate:
    if record is None:
        return Fate.DELETED
    if not may_write and not _had(row, acting):
        return Fate.REFUSED
    in_bin = record.deleted_at is not None
    if row.created or "deleted_at" in row.old:
        wanted_in_bin = row.created or row.old["deleted_at"] is not None
        if in_bin == wanted_in_bin:
            return Fate.SAME
        if record.version != row.version:
            return Fate.CONFLICT
        if not recycle_bin.may_manage(bin_type(kind.key), record, acting):
            return Fate.REFUSED
        return Fate.REMOVED if wanted_in_bin else Fate.RESTORED
    values = old_values(kind, row, record, acting)
    if not values:
        return Fate.REFUSED
    if all(getattr(record, name) == value for name, value in values.items()):
        return Fate.SAME
    if record.version != row.version:
        return Fate.DELETED if in_bin else Fate.CONFLICT
    return Fate.BACK


def _had(row: Logged, acting: Actor) -> bool:
    """Whether the record was the actor's to change before, and went out of their sight by the change itself."""
    owner = row.old.get("owner_id")
    return acting.write == "own" and owner is not None and UUID(str(owner)) in acting.members


def old_values(kind: RecordType, row: Logged, record: Any, acting: Actor) -> dict[str, Any]:
    """The old values of a record by `attname`, without those of fields that the actor's role may not write."""
    closed = {f for f in kind.fields if acting.role and acting.role not in f.editable_by & f.visible_to}
    kept = {f.column for f in closed if not f.custom}
    own = {f.key for f in closed if f.custom}
    found = {}
    for model_field in kind.model._meta.concrete_fields:
        name, column = model_field.attname, model_field.column
        if column not in row.old or name in kept or model_field.generated:
            continue
        value = as_python(model_field, row.old[column])
        if name == "custom" and own:
            value = {k: v for k, v in value.items() if k not in own} | {
                k: v for k, v in record.custom.items() if k in own
            }
        found[name] = value
    return found


def as_python(model_field: Any, logged: Any) -> Any:
    """What the log holds of a column, as the model holds it."""
    base = getattr(model_field, "base_field", None)
    if base is not None:  # an array
        return [base.to_python(item) for item in logged or ()]
    return model_field.to_python(logged)


# ---------------------------------------------------------------- doing it


def undo_rows(kind: RecordType, change_set_id: UUID, ids: Collection[UUID], acting: Actor) -> Undone:
    """Takes back what a change set did to records of a type, in a fixed number of statements.

    The caller has checked that the actor may undo the change set. Records that it gave out of the actor's sight come
    back all the same, if nobody touched them since; nothing is told of them.
    """
    rows = logged_rows(kind, change_set_id, ids)
    with elevated("records of a change set that is taken back, some out of sight by that very change"):
        found = kind.model._base_manager.filter(pk__in=rows).select_for_update(of=("self",)).order_by("pk")
        records = {record.pk: record for record in found}
    decided = fates(kind, rows, records, acting)
    result = Undone(unchanged=sum(fate == Fate.SAME for fate in decided.values()))
    edits = [_edit(kind, rows[pk], record, acting) for pk, record in records.items() if decided[pk] == Fate.BACK]
    _put_back(kind, change_set_id, edits, acting)
    result.changed += sum(edit.open for edit in edits)
    result.refused += [(edit.record.pk, text_of(edit.error)) for edit in edits if edit.error]
    _through_bin(kind, records, decided, result, acting)
    result.refused += reasons(kind, rows, decided)
    return result


def _edit(kind: RecordType, row: Logged, record: Any, acting: Actor) -> Edit:
    edit = Edit(record, {})
    for name, value in old_values(kind, row, record, acting).items():
        setattr(record, name, value)
    return edit


def _put_back(kind: RecordType, change_set_id: UUID, edits: Sequence[Edit], acting: Actor) -> None:
    if not edits:
        return
    with elevated("old values of records that the undoing member had or has a right to"):
        _refuse_leavers(edits)
        _refuse_lost_links(kind, edits)
        refuse_unfit(kind, edits)
        if kind.bulk.undo is not None:
            kind.bulk.undo(edits, acting)
        _reclaim(kind, edits)
        done = [edit for edit in edits if edit.open]
        _put_children_back(kind, change_set_id, [edit.record.pk for edit in done])
        bulk.save(kind, done, acting)


def _refuse_leavers(edits: Sequence[Edit]) -> None:
    """Refuses records that would go back to somebody who is not active any more."""
    handed = [edit for edit in edits if "owner_id" in edit.before and edit.moved("owner_id")]
    owners = {edit.record.owner_id for edit in handed}
    active = queries.active_members(owners)
    for edit in handed:
        if edit.record.owner_id not in active:
            edit.error = Conflict(_("Its former owner is not an active member any more"))


def _refuse_lost_links(kind: RecordType, edits: Sequence[Edit]) -> None:
    """Refuses records that would go back to naming one that is gone, or lies in the recycle bin."""
    for link in kind.model._meta.concrete_fields:
        if not link.many_to_one or link.attname == "owner_id":
            continue
        linked = [
            (edit, pk) for edit in edits if edit.moved(link.attname) and (pk := getattr(edit.record, link.attname))
        ]
        if not linked:
            continue
        rows = link.related_model._base_manager.filter(pk__in={pk for _edit, pk in linked})
        if issubclass(link.related_model, OrgModel):
            rows = rows.filter(deleted_at__isnull=True)
        there = set(rows.values_list("pk", flat=True))
        for edit, pk in linked:
            if pk not in there:
                text = _("Its former value in “%(field)s” was deleted") % {"field": _label(kind, link.attname)}
                edit.error = edit.error or Conflict(text)


def _label(kind: RecordType, column: str) -> str:
    return next((str(f.label) for f in kind.fields if f.column == column), column)


def _reclaim(kind: RecordType, edits: Sequence[Edit]) -> None:
    """Claims the old values of fields whose values are one of a kind; refuses records whose value another has."""
    unique = {f.key: f for f in kind.fields if f.unique and f.field_id is not None}
    settled = []
    for edit in edits if unique else ():
        if not edit.open:
            continue
        new, old = edit.record.custom, edit.before["custom"]
        merged = custom.Merged(new)
        for key, own in unique.items():
            if new.get(key) != old.get(key):
                value = new.get(key)
                merged.unique[own.field_id] = (key, None if value is None else custom.digest_of(value))
        settled.append((edit.record.pk, merged))
    refused = custom.settle_rows(settled)
    for edit in edits:
        edit.error = edit.error or refused.get(edit.record.pk)


def _through_bin(
    kind: RecordType, records: Mapping[UUID, Any], decided: Mapping[UUID, Fate], result: Undone, acting: Actor
) -> None:
    """Takes records out of the recycle bin that the change set put there, and puts those there that it made."""
    place = bin_type(kind.key)
    out = [record for pk, record in records.items() if decided[pk] == Fate.RESTORED]
    away = [record for pk, record in records.items() if decided[pk] == Fate.REMOVED]
    if out:
        back = recycle_bin.take(place, out, acting)
        done = {record.pk for record in back.records}
        texts = [text for _name, text in back.refused]
        left = [record.pk for record in out if record.pk not in done]
        result.changed += len(done)
        result.refused += list(zip(left, texts, strict=True))
    if away:
        recycle_bin.put(place, away, acting)
        result.changed += len(away)


def reasons(kind: RecordType, rows: Mapping[UUID, Logged], decided: Mapping[UUID, Fate]) -> list[tuple[UUID, str]]:
    """Why records stay as they are, in words, by id."""
    clashing = [pk for pk, fate in decided.items() if fate == Fate.CONFLICT]
    by = changed_by(kind, clashing)
    found = []
    for pk, fate in decided.items():
        if fate == Fate.CONFLICT:
            name = by.get(pk, "")
            text = _("Changed since by %(name)s") % {"name": name} if name else _("Changed since")
            found.append((pk, text))
        elif fate == Fate.DELETED:
            found.append((pk, _("Deleted since")))
        elif fate == Fate.REFUSED:
            found.append((pk, _("Not yours to change, or out of your sight")))
    return found


def changed_by(kind: RecordType, ids: Collection[UUID]) -> dict[UUID, str]:
    """Who changed each of some records last; without those whom no member changed."""
    if not ids:
        return {}
    entries = AuditEntry.objects.filter(table_name=kind.model._meta.db_table, row_id__in=ids, operation="U")
    last = dict(entries.order_by("row_id", "-id").distinct("row_id").values_list("row_id", "actor_id"))
    names = Names()
    for member in last.values():
        names.want(Membership, member)
    names.load()
    return {pk: name for pk, member in last.items() if (name := names.of(Membership, member))}


def text_of(error: CrmError) -> str:
    """An error in one line."""
    return " ".join(str(text) for text in error.fields.values()) or str(error)


# ---------------------------------------------------------------- child rows


def _put_children_back(kind: RecordType, change_set_id: UUID, ids: Collection[UUID]) -> None:
    """Removes child rows of records that the change set added, mends those it changed, adds those it removed."""
    tables = _child_models(kind)
    entries = AuditEntry.objects.filter(change_set_id=change_set_id, parent_id__in=ids, table_name__in=tables)
    by_table: dict[str, dict[UUID, Logged]] = defaultdict(dict)
    gone: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, row_id, operation, diff in entries.order_by("id").values_list(
        "table_name", "row_id", "operation", "diff"
    ):
        row = by_table[table].setdefault(row_id, Logged())
        row.created |= operation == "I"
        if operation == "U":
            for column, sides in diff.items():
                row.old.setdefault(column, sides[0])
        elif operation == "D" and not row.created:
            gone[table].append({**diff, **row.old})
    for table, rows in by_table.items():
        _mend_children(tables[table], rows, gone[table])


def _child_models(kind: RecordType) -> dict[str, type[Model]]:
    models = kind.model._meta.apps.get_models()
    return {m._meta.db_table: m for m in models if m._meta.db_table in kind.history_tables}


def _mend_children(model: type[Model], rows: Mapping[UUID, Logged], gone: Iterable[dict[str, Any]]) -> None:
    """In an order in which a record never has two rows of a mark that only one may have: first marks go, then come."""
    manager = model._default_manager
    manager.filter(pk__in=[pk for pk, row in rows.items() if row.created]).delete()
    changed = {pk: row.old for pk, row in rows.items() if row.old and not row.created}
    present = {row.pk: row for row in manager.filter(pk__in=changed)} if changed else {}
    for takes_mark in (True, False):
        part = {pk: old for pk, old in changed.items() if pk in present and (False in old.values()) == takes_mark}
        _write_children(model, part, present)
    fields = {f.column: f for f in model._meta.concrete_fields if not f.generated}
    manager.bulk_create(
        [model(**{fields[c].attname: as_python(fields[c], v) for c, v in row.items() if c in fields}) for row in gone],
        batch_size=1000,
    )


def _write_children(model: type[Model], olds: Mapping[UUID, dict[str, Any]], present: Mapping[UUID, Any]) -> None:
    fields = {f.column: f for f in model._meta.concrete_fields if not f.generated}
    columns = sorted({fields[column].attname for old in olds.values() for column in old if column in fields})
    rows = []
    for pk, old in olds.items():
        given = {fields[c].attname: as_python(fields[c], value) for c, value in old.items() if c in fields}
        rows.append({"id": pk, **{name: given.get(name, getattr(present[pk], name)) for name in columns}})
    if rows and columns:
        write_rows(model, columns, rows)
