"""The rows of one page of a list: from which index, in which stretches, by SQL that is made once where that can be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q, QuerySet

from crm import access
from crm.records.filters.fixed import Sieve, sieve_of
from crm.records.filters.limits import stopped_in_time
from crm.records.filters.tree import Node, fields_in
from crm.records.listquery import ListQuery
from crm.records.registry import RecordType
from crm.tenancy.backend.kept import KeptQuery
from crm.tenancy.context import Actor, array
from crm.web.pagination import Key, Keys, Place
from crm.web.stretches import Stretch, stretches

# What stands in for a cursor's value and id, and for shared records, when a list's SQL is made. A whole number would
# not do: a filter may hold the same one.
_ROW_ID, _SHARED = UUID(int=5), (UUID(int=6),)
CHANGED = "updated_at"  # what the index of an owner's records has them in the order of
_SAMPLES: dict[type[Any], Any] = {
    datetime: datetime(1901, 2, 3, 4, 5, 6, 789, UTC),
    date: date(1901, 2, 3),
    str: f"\N{INVISIBLE SEPARATOR}{uuid4()}",  # nothing that a filter's value may be
    float: 1901.02030405,
    UUID: UUID(int=8),  # of a list in the order of ids
}


def _sample(kind: type[Any], number: int) -> Any:
    """What stands in for a value of a type: the same for none of several, but for ids, which are the row's own."""
    sample = _SAMPLES[kind]
    if isinstance(sample, UUID):
        return sample
    return sample + (timedelta(days=number) if isinstance(sample, date) else str(number) if kind is str else number)


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    """A cursor's value, or each of several, changed."""
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


@dataclass(frozen=True)
class Reads:
    """How the rows of one page are read: at most `limit`, as dicts of `paths`. `matching` gives those that the filters
    leave, in no order, before what the actor may see is taken out of them."""

    record_type: RecordType
    query: ListQuery
    actor: Actor
    paths: tuple[str, ...]
    limit: int
    matching: Callable[[], QuerySet[Any]]

    def rows(self, key: Key | Keys, place: Place | None) -> list[Any]:
        """The first rows beyond a place, in the order of `key`. Raises Invalid, and TooSlow."""
        found: list[Any] = []
        for stretch in self._stretches(key, place):
            found += self._rows_of(stretch)[: self.limit - len(found)]
            if len(found) == self.limit:
                break
        return found

    def _stretches(self, key: Key | Keys, place: Place | None) -> list[Stretch]:
        """What the page is read from. A member's own rows are few, and read from the owner's index whatever they are
        sorted by: those without a value need no reading of their own."""
        is_few = self.actor.read != "all" and len(self.actor.members) == 1
        if is_few and (place is None or None not in _several(place.value)):
            return [Stretch((), key, place, backwards=place is not None and place.backwards)]
        return stretches(key, place)

    def _rows_of(self, stretch: Stretch) -> list[Any]:
        place = stretch.place
        begin = place and Place(place.backwards, _each(type, place.value), None)
        wanted = _Wanted(
            self.record_type.model, replace(stretch, place=begin), self.paths, self.limit, self.left_out, self.sieve
        )
        with stopped_in_time() if self.query.is_filtered else nullcontext():
            if wanted.is_plain and self.is_plain:
                return _plain_rows(wanted, place, self.actor, self.shared)
            return list(_rows(self.found, wanted, stretch, self.actor, self.shared))

    @cached_property
    def tree(self) -> Node | None:
        """All conditions of the list."""
        return self.query.tree(self.record_type, self.actor)

    @cached_property
    def left_out(self) -> Q | None:
        """What a list of the type passes over unless its filter names it."""
        left_out = self.record_type.left_out
        return left_out.rows if left_out and left_out.unless not in fields_in(self.tree) else None

    @cached_property
    def sieve(self) -> Sieve | None:
        """The conditions, where they mean the same to everybody of the role."""
        return sieve_of(self.tree, self.record_type, self.actor)

    @property
    def is_plain(self) -> bool:
        """Whether the SQL depends on neither the reader nor the moment, but for what stands in it as a value."""
        query = self.query
        is_plain = not (query.q or query.ids) and (self.tree is None or self.sieve is not None)
        return is_plain and len(self.shared) <= access.SHARED_MOST

    @cached_property
    def shared(self) -> Collection[UUID]:
        """Records that are shared with the actor, up to one more than are named one by one."""
        return access.some_shared(self.record_type.model, self.actor)

    @cached_property
    def found(self) -> QuerySet[Any]:
        """The rows that the filters leave: a search is asked once."""
        return self.matching()


@dataclass(frozen=True)
class _Wanted:
    """What the SQL of a plain list depends on, but for the actor's reach. The place of `stretch` has the type of its
    value alone."""

    model: type[Any]
    stretch: Stretch
    paths: tuple[str, ...]
    limit: int
    left_out: Q | None = None
    sieve: Sieve | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the SQL is always the same; a cursor that stands on an empty value changes it."""
        return self.stretch.place is None or all(kind in _SAMPLES for kind in _several(self.stretch.place.value))

    def is_settled(self, reach: Actor) -> bool:
        """Whether one index serves whatever the values are, so that the statement is planned once: the sort's for who
        sees everything, the owner's for one member's rows by last change."""
        first = self.stretch.key.keys[0] if isinstance(self.stretch.key, Keys) else self.stretch.key
        serves = reach.read == "all" or (len(reach.members) == 1 and first.path == CHANGED)
        return serves and first.is_indexed and (self.sieve is None or self.sieve.passes_by)


def _rows(
    rows: QuerySet[Any], wanted: _Wanted, stretch: Stretch, actor: Actor, shared: Collection[UUID]
) -> QuerySet[Any]:
    return access.first_rows(
        rows.filter(stretch.rows), actor, order=stretch.order, limit=wanted.limit, paths=wanted.paths, shared=shared
    )


def _plain_rows(wanted: _Wanted, place: Place | None, actor: Actor, shared: Collection[UUID]) -> list[Any]:
    """Rows of a plain list. Its SQL is made once: Django needs longer for it than PostgreSQL for the rows."""
    org_id, role = (wanted.sieve.org_id, wanted.sieve.role) if wanted.sieve else (UUID(int=0), "")
    reach = Actor(org_id=org_id, role=role, read=actor.read, members=actor.members)
    kept = _plain_query(wanted, access.stand_in(reach), has_shared=bool(shared))
    begin = (place.row_id, *_several(place.value)) if place else ()
    owner = next(iter(actor.members), None)
    return kept.all(actor.members_array, owner, array(shared), actor.member_id, actor.teams_array, *begin)


@lru_cache(maxsize=1024)
def _plain_query(wanted: _Wanted, anybody: Actor, *, has_shared: bool) -> KeptQuery[dict[str, Any]]:
    begin = wanted.stretch.place
    values = tuple(_sample(kind, number) for number, kind in enumerate(_several(begin.value))) if begin else ()
    value = values if begin and isinstance(begin.value, tuple) else next(iter(values), None)
    place = Place(begin.backwards, value, _ROW_ID) if begin else None
    live = wanted.model._default_manager.filter(deleted_at__isnull=True)
    live = live.exclude(wanted.left_out) if wanted.left_out else live
    live = live.filter(wanted.sieve.compiled(anybody)) if wanted.sieve else live
    stretch = replace(wanted.stretch, place=place)
    rows = _rows(live, wanted, stretch, anybody, _SHARED if has_shared else ())
    owner = next(iter(anybody.members))
    reach = (anybody.members_array, owner, array(_SHARED), anybody.member_id, anybody.teams_array)
    samples = (*reach, _ROW_ID, *values) if begin or anybody.read != "all" else ()
    return KeptQuery(rows, *samples, planned_anew=not wanted.is_settled(anybody))
