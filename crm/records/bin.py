"""What may lie in the recycle bin, and what of it somebody sees.

Every registered record type may; apps add what is deleted without being a record type of its own (`register`), and
name the rows that go with a record (`goes_along`). Both in AppConfig.ready(). The writes stand in crm.actions.bin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from crm import access
from crm.lib.errors import NotFound
from crm.models import BinEntry
from crm.records import limits
from crm.records.registry import Bin, registry
from crm.tenancy.backend.kept import OneOf
from crm.tenancy.context import Actor, array

KEEP = timedelta(days=30)  # how long something can be restored


@dataclass(frozen=True)
class BinType:
    """A kind of record that can be deleted and restored. `name` says what one is called."""

    key: str
    model: type[Any]
    label: Any
    label_plural: Any
    icon: str
    name: Callable[[Any], str]
    rules: Bin = field(default_factory=Bin)

    @property
    def has_owner(self) -> bool:
        """Whether its records belong to a member."""
        return any(f.name == "owner" for f in self.model._meta.get_fields())

    def called(self, record: Any, actor: Actor) -> str:
        """What one is called on the actor's pages."""
        return self.name(record) if self.key in _others else limits.called(record, self.key, actor)


@dataclass(frozen=True)
class Along:
    """Rows of a table that go with a record because they name it in `column`; `text` counts them in words."""

    model: type[Any]
    column: str
    text: Callable[[int], str]


_others: dict[str, BinType] = {}
_along: dict[str, dict[str, Along]] = defaultdict(dict)


def register(kind: BinType) -> None:
    """Adds something that can be deleted and is no record type, or a type in a way of its own."""
    _others[kind.key] = kind


def goes_along(key: str, along: Along) -> None:
    """Names rows that go with records of a type; the bin says how many."""
    _along[key][along.model._meta.db_table] = along


def follows(table: str) -> bool:
    """Whether the rows of a table come and go with records of a type, such as the entries of a timeline."""
    return any(table in along for along in _along.values())


def bin_types() -> Iterator[BinType]:
    """Everything that can be deleted, record types first."""
    for t in registry:
        if t.key not in _others:
            yield BinType(t.key, t.model, t.label, t.label_plural, t.icon, t.name_of, t.bin)
    yield from _others.values()


def bin_type(key: str) -> BinType:
    """What can be deleted by its key. Raises NotFound."""
    for kind in bin_types():
        if kind.key == key:
            return kind
    raise NotFound


def count_along(kind: BinType, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """How many rows go with each record, by table, as far as the actor sees them: a statement for each table."""
    counts: dict[UUID, dict[str, int]] = defaultdict(dict)
    for table, along in _along[kind.key].items():
        rows = along.model._default_manager.filter(**{f"{along.column}__in": ids})
        if any(f.name == "deleted_at" for f in along.model._meta.get_fields()):
            rows = rows.filter(deleted_at__isnull=True)
        for pk, count in rows.values_list(along.column).annotate(Count("pk")).order_by():
            counts[pk][table] = count
    return counts


def words_along(key: str, counts: Mapping[str, int]) -> list[str]:
    """What went with a record, in words, such as "2 deals"."""
    return [along.text(counts[table]) for table, along in _along[key].items() if counts.get(table)]


# ---------------------------------------------------------------- what somebody sees


def visible_entries(actor: Actor) -> QuerySet[BinEntry]:
    """The entries of what the actor saw before it was deleted: everything, or own, team's and shared records."""
    rows: QuerySet[BinEntry] = BinEntry.objects.all()
    if actor.read == "all":
        return rows
    seen = Q(OneOf("owner_id", actor.members_array))
    shared: list[UUID] = []
    for kind in bin_types():
        shared += access.some_shared(kind.model, actor)
    return rows.filter(seen | Q(OneOf("record", array(shared)))) if shared else rows.filter(seen)


def names_of(entries: Sequence[BinEntry], actor: Actor) -> dict[UUID, str]:
    """What the records of entries are called on the actor's pages, by entry: the name that was kept, or, where that may
    be an address which the actor's role does not see, what stands in the columns of the name."""
    names = {entry.pk: entry.name for entry in entries}
    for kind in limits.types_without_stand_in(actor):
        of_kind = {entry.record: entry.pk for entry in entries if entry.record_type == kind.key}
        names |= dict.fromkeys(of_kind.values(), _("(no name)"))
        rows = kind.model._base_manager.filter(pk__in=list(of_kind)) if of_kind else ()
        names |= {of_kind[row.pk]: limits.called(row, kind.key, actor) for row in rows}
    return names


def truly_named(actor: Actor) -> Q:
    """The entries that the actor may find by the name that was kept."""
    found = Q()
    for kind in limits.types_without_stand_in(actor):
        given = reduce(or_, (Q(**{f"{path}__gt": ""}) for path in kind.name_paths))
        named = kind.model._base_manager.filter(given, pk=OuterRef("record"))
        found &= ~Q(record_type=kind.key) | Q(Exists(named))
    return found


def may_restore(entry: BinEntry, actor: Actor) -> bool:
    """Whether the actor may take an entry's record out of the bin: its owner, their managers, admins."""
    return actor.write == "all" or (actor.write == "own" and entry.owner_id in actor.members)


def entries_of(key: str, records: Sequence[UUID]) -> QuerySet[BinEntry]:
    """The entries of records of a type, for who has their right to them checked."""
    return BinEntry.objects.filter(record_type=key, record__in=records)
