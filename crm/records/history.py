"""What the audit log says about a record, in words that its reader may see.

`redact` is the one place that cuts secret fields and fields that a role does not see out of a change; history,
timeline, undo, merge and export all use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Model, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from crm.models import AuditEntry, Membership, Tag
from crm.records import customhistory
from crm.records.loggedwords import WORDS, cut
from crm.records.names import Names, reference_of
from crm.records.queries import EVERYTHING, Sieve, audit_groups
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor
from crm.web import formats

Diff = Mapping[str, Any]  # {column: [old, new]}


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after, as text; "" is an empty value.

    `entry` is the log's entry that holds the old value, `value` what it says; of a child row there is neither.
    """

    key: str
    label: str
    old: str
    new: str
    entry: int = field(default=0, compare=False)
    value: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Child:
    """How changes of a child table read: as a field called `label`, whose value is the first filled of `columns`.

    `key` names the field of the record that must be visible to the reader, if there is one.
    """

    model: type[Model]
    label: Any
    columns: tuple[str, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row's entry of the log, by the id `entry`. `operation` is I, U or D; see AuditEntry for `diff`."""

    table: str
    id: UUID
    operation: str
    diff: Diff
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """What one transaction did to a record and its children. `first` is the smallest id of its entries."""

    at: datetime
    first: int
    actor_id: UUID | None
    actor_kind: str
    change_set_id: UUID | None
    rows: tuple[Row, ...]


_children: dict[str, Child] = {}


def describe_child(child: Child) -> None:
    """Says how a table of `RecordType.history_tables` reads. Called in AppConfig.ready()."""
    _children[child.model._meta.db_table] = child


# ---------------------------------------------------------------- reading the log


def history_groups(
    record_type: RecordType,
    pk: UUID,
    *,
    before: tuple[datetime, int | None] | None = None,
    limit: int,
    sieve: Sieve = EVERYTHING,
) -> list[Group]:
    """The latest groups of changes of a record, newest first: those strictly before a `(at, first)`.

    `sieve` narrows them to some fields or to one member. A `before` without `first` includes the whole moment. The
    caller has seen to it that the reader may see the record.
    """
    table = record_type.model._meta.db_table
    found = audit_groups(table, pk, record_type.history_tables, before=before, limit=limit, sieve=sieve)
    return [
        Group(
            at,
            first,
            actor,
            kind,
            change_set,
            tuple(Row(t, UUID(r), op, customhistory.expanded(d or {}), entry) for t, r, op, d, entry in rows),
        )
        for at, actor, kind, change_set, first, rows in found
    ]


def children_of(record_type: RecordType) -> dict[str, Child]:
    """How the child tables of a type read, by table; those that say it."""
    return {table: _children[table] for table in record_type.history_tables if table in _children}


# ---------------------------------------------------------------- saying it


@dataclass
class Reader:
    """Turns changes of one record type into words for one actor. Names are asked for first and read at once."""

    actor: Actor
    record_type: RecordType
    record: Any = None  # tells the currency of amounts, where the change itself doesn't
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self._fields = columns_seen(self.record_type, self.actor)
        self._labels: dict[str, dict[str, str]] = {}
        self._currencies: dict[str, list[tuple[int, str]]] = {}  # what currencies were until an entry, by column
        self._values: dict[tuple[str, UUID], str] = {}

    def prepare(self, groups: Sequence[Group]) -> None:
        """Reads what the groups need: values of added child rows, then all names (two statements at most).

        A third one where an amount changed and its currency did not: which one it was in then.
        """
        self._read_added(groups)
        self._read_currencies(groups)
        for group in groups:
            self.names.want(Membership, group.actor_id)
            for row in group.rows:
                self._want(row)
        for (table, _pk), value in self._values.items():
            self._want_child(_children[table], value)
        self.names.load()

    def changes(self, group: Group) -> list[Change]:
        """The visible changes of a group: the record's own, then its children's."""
        own_table = self.record_type.model._meta.db_table
        own = _folded(c for row in group.rows if row.table == own_table for c in self.own(row))
        return own + _without_echoes(own, [c for row in group.rows if row.table != own_table for c in self._child(row)])

    def redact(self, diff: Diff, operation: str = "U") -> list[Change]:
        """The changes of an update's diff that the actor may see. Names must have been asked for by `prepare`."""
        return self.own(Row("", UUID(int=0), operation, customhistory.expanded(diff)))

    def own(self, row: Row) -> list[Change]:
        """The changes of an entry of the record itself that the actor may see."""
        found = []
        for column, candidate in self._fields.items() if row.operation == "U" else ():
            if column in row.diff:
                old, new = row.diff[column]
                texts = self._text(candidate, old, row, 0), self._text(candidate, new, row, 1)
                if texts[0] != texts[1]:
                    found.append(Change(candidate.key, str(candidate.label), *texts, entry=row.entry, value=old))
        return found

    def _read_currencies(self, groups: Sequence[Group]) -> None:
        """What an amount was in when the log's entry doesn't say: the currency until the next entry that changed it."""
        table = self.record_type.model._meta.db_table
        paths = {column: f.currency_path for column, f in self._fields.items() if f.currency_path and not f.custom}
        rows = [r for group in groups for r in group.rows if r.table == table and r.operation == "U" and r.entry]
        wanted = {paths[c] for row in rows for c in row.diff if c in paths and paths[c] not in row.diff}
        for path in wanted if self.record is not None else ():
            entries = AuditEntry.objects.filter(
                table_name=table, row_id=self.record.pk, operation="U", diff__has_key=path
            )
            changes = entries.order_by("id").values_list("id", "diff")
            self._currencies[path] = [(entry, diff[path][0]) for entry, diff in changes]

    # -- what must be read first

    def _want(self, row: Row) -> None:
        if row.table == self.record_type.model._meta.db_table:
            for column, candidate in self._fields.items():
                for value in row.diff.get(column, ()) if row.operation == "U" else ():
                    for model, pk in self._references(candidate, column, value):
                        self.names.want(model, pk)
        elif row.table in _children and row.operation != "I":
            child = _children[row.table]
            for column in child.columns:
                for value in _sides(row, column):
                    self._want_child(child, value, column)

    def _want_child(self, child: Child, value: Any, column: str = "") -> None:
        for name in (column,) if column else child.columns:
            related = child.model._meta.get_field(name).related_model
            if related is not None:
                self.names.want(related, value)

    def _references(self, candidate: Field, column: str, value: Any) -> Iterable[tuple[type[Model], Any]]:
        if candidate.type == FieldType.TAGS:
            return [(Tag, pk) for pk in value or ()]
        if candidate.custom:
            model = reference_of(candidate)
            return [(model, value)] if model is not None and value else []
        related = self.record_type.model._meta.get_field(column).related_model
        return [(related, value)] if related is not None and value else []

    def _read_added(self, groups: Sequence[Group]) -> None:
        """Inserts are logged without values: they stand in the row, or in the entry of its next change or end."""
        added: dict[str, set[UUID]] = {}
        later: dict[tuple[str, UUID], str] = {}
        for group in groups:  # newest first, so the oldest change after the insert is met last
            created = _is_creation(group, self.record_type)
            for row in group.rows:
                child = _children.get(row.table)
                if child is None:
                    continue
                if row.operation == "I":
                    if not created:
                        added.setdefault(row.table, set()).add(row.id)
                elif any(_sides(row, column) for column in child.columns):
                    later[row.table, row.id] = _first(row, child, 0)
        missing = {t: ids - {pk for table, pk in later if table == t} for t, ids in added.items()}
        self._values = {key: v for key, v in later.items() if key[1] in added.get(key[0], ())}
        branches = [_current(_children[t], ids) for t, ids in missing.items() if ids]
        if branches:
            found = branches[0].union(*branches[1:], all=True) if branches[1:] else branches[0]
            self._values |= {(table, pk): value for table, pk, value in found}

    # -- words

    def _text(self, candidate: Field, value: Any, row: Row, side: int) -> str:
        if value is None or value in ("", []):
            return ""
        if candidate.custom:
            return customhistory.text_of(candidate, value, self.names)
        words = WORDS.get(candidate.type)
        if words is not None:
            return words(value)
        related: Any = self.record_type.model._meta.get_field(candidate.column).related_model
        if related is not None:
            return self.names.of(related, value) or _("(not visible to you)")
        match candidate.type:
            case FieldType.CHOICE:
                labels = self._labels.setdefault(candidate.key, dict(candidate.options()))
                return labels.get(str(value), str(value))
            case FieldType.MONEY:
                return self._money(candidate, value, row, side)
            case FieldType.TAGS:
                return ", ".join(filter(None, (self.names.of(Tag, pk) for pk in value)))
        return cut(str(value))

    def _money(self, candidate: Field, value: Any, row: Row, side: int) -> str:
        path = candidate.currency_path
        currency = row.diff[path][side] if path in row.diff else self.currency_at(row.entry, path)
        return formats.money(value, currency) if currency else formats.number(value)

    def currency_at(self, entry: int, path: str) -> str:
        """The value that a currency's column had when an entry was written; the present one where it never changed."""
        later = (until for changed, until in self._currencies.get(path, ()) if changed > entry > 0)
        return next(later, None) or (getattr(self.record, path, "") if path else "")

    def _child(self, row: Row) -> list[Change]:
        child = _children.get(row.table)
        if child is None or (child.key and not self._sees(child.key)):
            return []
        if row.operation == "U" and not any(column in row.diff for column in child.columns):
            return []
        old = "" if row.operation == "I" else self._child_text(child, row, 0)
        new = "" if row.operation == "D" else self._child_text(child, row, 1)
        return [Change(row.table, str(child.label), old, new)] if old != new else []

    def _child_text(self, child: Child, row: Row, side: int) -> str:
        value = self._values.get((row.table, row.id), "") if row.operation == "I" else _first(row, child, side)
        for column in child.columns:
            related = child.model._meta.get_field(column).related_model
            if related is None:
                return str(value)
            name = self.names.of(related, value)
            if name:
                return name
        return _("(not visible to you)") if value else ""

    def _sees(self, key: str) -> bool:
        return any(candidate.key == key for candidate in self._fields.values())


def redact(actor: Actor, record_type: RecordType, diff: Diff, *, record: Any = None) -> list[Change]:
    """What an actor may see of an update's diff, in words; at most one statement, for the names it mentions.

    For many changes at once, use a Reader.
    """
    reader = Reader(actor, record_type, record)
    row = Row(record_type.model._meta.db_table, UUID(int=0), "U", customhistory.expanded(diff))
    reader.prepare([Group(datetime.min, 0, None, "", None, (row,))])  # noqa: DTZ901 -- never compared or shown
    return reader.redact(diff)


def columns_seen(record_type: RecordType, actor: Actor) -> dict[str, Field]:
    """The fields that the actor sees, by the table's column that holds them; without what is computed from others."""
    found: dict[str, Field] = {}
    for candidate in record_type.fields_for(actor.role):
        if candidate.custom:
            found |= {candidate.column: candidate} if not (candidate.encrypted or candidate.formula) else {}
            continue
        column = None if "__" in candidate.column else record_type.model._meta.get_field(candidate.column)
        if column is not None and not column.generated:
            found[column.column] = candidate
    return found


def _folded(changes: Iterable[Change]) -> list[Change]:
    """What became of each field, where one transaction wrote it more than once."""
    found: dict[str, Change] = {}
    for change in changes:
        first = found.get(change.key, change)
        found[change.key] = replace(change, old=first.old, entry=first.entry, value=first.value)
    return [change for change in found.values() if change.old != change.new]


def _is_creation(group: Group, record_type: RecordType) -> bool:
    table = record_type.model._meta.db_table
    return any(row.table == table and row.operation == "I" for row in group.rows)


def kind_of(group: Group, record_type: RecordType) -> str:
    """What a group did to the record itself: "created", "deleted", "restored" or "changed"."""
    if _is_creation(group, record_type):
        return "created"
    table = record_type.model._meta.db_table
    marks = [row.diff["deleted_at"][1] for row in group.rows if row.table == table and "deleted_at" in row.diff]
    return ("deleted" if marks[-1] else "restored") if marks else "changed"


def _sides(row: Row, column: str) -> list[Any]:
    """The values of a column before and after, that the entry knows."""
    value = row.diff.get(column)
    values = value if row.operation == "U" and isinstance(value, list) else [value]
    return [v for v in values if v]


def _first(row: Row, child: Child, side: int) -> str:
    """The first filled of a child's columns, before (0) or after (1) an update, or as it was before a deletion."""
    for column in child.columns:
        value = row.diff.get(column)
        if row.operation == "U" and isinstance(value, list):
            value = value[side]
        if value:
            return str(value)
    return ""


def _current(child: Child, ids: set[UUID]) -> Any:
    text = [Cast(F(column), TextField()) for column in child.columns]
    value = Coalesce(*text, Value(""), output_field=TextField())
    rows = child.model._default_manager.filter(pk__in=ids)
    return rows.annotate(table_name=Value(child.model._meta.db_table), value=value).values_list(
        "table_name", "pk", "value"
    )


def _without_echoes(own: Sequence[Change], children: Sequence[Change]) -> list[Change]:
    """Without what only repeats the record's own change (a primary address is mirrored on the record), and without
    rows that were written anew as they were."""
    olds, news = {c.old for c in own}, {c.new for c in own}
    left = [c for c in children if not ((not c.old or c.old in olds) and (not c.new or c.new in news))]
    removed = {(c.key, c.old) for c in left if not c.new}
    added = {(c.key, c.new) for c in left if not c.old}
    same = removed & added
    return [c for c in left if (c.key, c.old or c.new) not in same or (c.old and c.new)]
