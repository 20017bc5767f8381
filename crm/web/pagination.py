"""Keyset pagination: a page begins where the former one ended, so page 1,000 costs what page 1 does."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import F, Field, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple as RowTuple
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from django.utils.translation import gettext as _

from crm.lib.errors import Invalid

COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, and the cursors of its neighbours ("" where there is none)."""

    rows: list[Any]
    next_cursor: str
    prev_cursor: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are: exact up to 10,000; else `exact` is False, and `number` an estimate, or 10,000 where
    there is none (`estimated` False)."""

    number: int
    exact: bool
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """What a list is sorted by: a column of the model, downwards or upwards, then the id in the same direction.

    Rows without a value come last in either direction when `nullable`. The index of a `sparse` column holds those with
    a value alone: lists read them and the others one after the other (crm.web.stretches).
    """

    path: str
    descending: bool = False
    nullable: bool = False
    sparse: bool = False

    def order(self, *, backwards: bool = False) -> tuple[Any, ...]:
        """The ORDER BY; reversed for the page before a cursor."""
        down = self.descending != backwards
        column, row_id = self.expression, F("id")
        if self.path == "id":
            return (row_id.desc() if down else row_id.asc(),)
        if self.nullable:
            nulls: dict[str, bool] = {"nulls_first": True} if backwards else {"nulls_last": True}
            return (column.desc(**nulls) if down else column.asc(**nulls), row_id.desc() if down else row_id.asc())
        return (column.desc() if down else column.asc(), row_id.desc() if down else row_id.asc())

    def after(self, value: Any, row_id: Any, *, backwards: bool = False) -> Any:
        """The condition that leaves the rows on the far side of a row."""
        if self.path == "id":
            return Q(id__lt=row_id) if self.descending != backwards else Q(id__gt=row_id)
        if not self.nullable:
            return self._past(value, row_id, down=self.descending != backwards)
        empty = self.where("isnull", True)
        rest = Q(id__lt=row_id) if self.descending != backwards else Q(id__gt=row_id)
        if value is None:
            return ((empty & rest) | ~empty) if backwards else (empty & rest)
        beyond = Q(self._past(value, row_id, down=self.descending != backwards))
        return beyond if backwards else beyond | empty

    def _past(self, value: Any, row_id: Any, *, down: bool) -> Any:
        """The rows with a value that come after one, in the form that an index takes."""
        return (TupleLessThan if down else TupleGreaterThan)(RowTuple(F(self.path), F("id")), (value, row_id))

    @property
    def expression(self) -> Any:
        """What the rows are put in order by."""
        return F(self.path)

    def where(self, lookup: str, value: Any) -> Q:
        """The rows whose value is compared so."""
        return Q(**{f"{self.path}__{lookup}": value})

    def beyond(self, place: Place) -> Any:
        """The condition that leaves the rows of the page that begins at a place."""
        return self.after(place.value, place.row_id, backwards=place.backwards)

    @property
    def is_indexed(self) -> bool:
        """Whether an index has the rows in this order."""
        return True

    @property
    def is_sparse(self) -> bool:
        """Whether that takes reading in stretches."""
        return self.sparse

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns that rows need for the cursor."""
        return (self.path,)

    def value_of(self, row: Any) -> Any:
        """What a cursor holds of a row."""
        return _value(row, self.path)

    def read(self, value: Any, model: type[Any]) -> Any:
        """The value of a cursor as the column has it. Raises ValidationError."""
        return _column(model, self.path).to_python(value)


@dataclass(frozen=True, slots=True)
class Keys:
    """Several keys, one after the other, then the id in the direction of the last one.

    Stands wherever a Key does; the value of a Place is a tuple then.
    """

    keys: tuple[Key, ...]

    @property
    def is_indexed(self) -> bool:
        """Whether indexes have the rows in such an order, but for those alike by the first key."""
        return all(key.is_indexed for key in self.keys)

    @property
    def is_sparse(self) -> bool:
        """Whether that takes reading in stretches."""
        return any(key.sparse for key in self.keys)

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns that rows need for the cursor."""
        return tuple(key.path for key in self.keys)

    def order(self, *, backwards: bool = False) -> tuple[Any, ...]:
        """The ORDER BY; reversed for the page before a cursor."""
        first = [key.order(backwards=backwards)[0] for key in self.keys[:-1]]
        return (*first, *self.keys[-1].order(backwards=backwards))

    def beyond(self, place: Place) -> Any:
        """The condition that leaves the rows of the page that begins at a place.

        Those that are not before it by the first key, but for those that are alike by it and not beyond by the rest:
        one range of an index, and what is taken out of it the planner knows to be little.
        """
        first, value = self.keys[0], place.value[0]
        if first.nullable or value is None:
            return _from(first, value, backwards=place.backwards) & self._past_any(place)
        rest = joined(self.keys[1:]).beyond(_rest(place))
        down = first.descending != place.backwards
        return first.where("lte" if down else "gte", value) & ~Q(first.where("exact", value) & ~Q(rest))

    def _past_any(self, place: Place) -> Q:
        """The rows that come after a place by the first key that differs."""
        found, same = Q(pk__in=[]), Q()
        for key, value in zip(self.keys[:-1], place.value[:-1], strict=True):
            found |= same & _past(key, value, backwards=place.backwards)
            same &= key.where("isnull", True) if value is None else key.where("exact", value)
        last = Place(place.backwards, place.value[-1], place.row_id)
        return found | same & Q(self.keys[-1].beyond(last))

    def value_of(self, row: Any) -> Any:
        """What a cursor holds of a row."""
        return [key.value_of(row) for key in self.keys]

    def read(self, value: Any, model: type[Any]) -> Any:
        """The values of a cursor as the columns have them. Raises ValidationError."""
        if not isinstance(value, list) or len(value) != len(self.keys):
            raise ValidationError("Not a value for each key.")
        return tuple(key.read(each, model) for key, each in zip(self.keys, value, strict=True))


def joined(keys: tuple[Key, ...]) -> Key | Keys:
    """Keys as one; a single one as itself."""
    return keys[0] if len(keys) == 1 else Keys(keys)


def _rest(place: Place) -> Place:
    """A place by all of its keys but the first."""
    left = place.value[1:]
    return Place(place.backwards, left if len(left) > 1 else left[0], place.row_id)


def _past(key: Key, value: Any, *, backwards: bool) -> Q:
    """The rows whose value comes after another one; empty ones come last, hence first on the way back."""
    empty = key.where("isnull", True)
    if value is None:
        return ~empty if backwards else Q(pk__in=[])
    down = key.descending != backwards
    past = key.where("lt" if down else "gt", value)
    return past | empty if key.nullable and not backwards else past


def _from(key: Key, value: Any, *, backwards: bool) -> Q:
    """The rows whose value is this one or comes after it: one range of an index, where no value is empty."""
    if value is None:
        return Q() if backwards else key.where("isnull", True)
    down = key.descending != backwards
    range_ = key.where("lte" if down else "gte", value)
    return range_ | key.where("isnull", True) if key.nullable and not backwards else range_


def encode_cursor(direction: str, value: Any, row_id: Any) -> str:
    """An opaque, URL-safe cursor."""
    return base64.urlsafe_b64encode(orjson.dumps([direction, value, str(row_id)], default=str)).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[str, Any, str]:
    """(direction, value, id) of a cursor. Raises Invalid for anything that encode_cursor did not make."""
    try:
        direction, value, row_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        direction, value, row_id = "", None, ""
    if direction not in ("next", "prev") or not isinstance(row_id, str):
        raise Invalid(_("This page's address is damaged. Open the list again."))
    return direction, value, row_id


@dataclass(frozen=True, slots=True)
class Place:
    """The row beside which a page begins: its value in the key's column, its id, and on which side of it."""

    backwards: bool
    value: Any
    row_id: Any


def place_of(cursor: str, model: type[Any], key: Key | Keys) -> Place | None:
    """Where the page of a cursor begins; None for the first page. Raises Invalid for a damaged cursor."""
    if not cursor:
        return None
    direction, value, row_id = decode_cursor(cursor)
    if any(isinstance(each, str) and "\0" in each for each in (value if isinstance(value, list) else [value])):
        raise Invalid(_("This page's address is damaged. Open the list again."))
    try:
        return Place(direction == "prev", key.read(value, model), model._meta.pk.to_python(row_id))
    except (ValidationError, TypeError) as error:
        raise Invalid(_("This page's address is damaged. Open the list again.")) from error


def page_of(found: list[Any], key: Key | Keys, place: Place | None, size: int) -> Page:
    """The page that is made of the first `size` + 1 rows from a place on, in the order of `key` from there."""
    backwards = place is not None and place.backwards
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Page([], "", "")
    ends = [key.value_of(found[0]), key.value_of(found[-1])]
    has_next = True if backwards else more
    has_prev = more if backwards else place is not None
    return Page(
        found,
        encode_cursor("next", ends[1], _value(found[-1], "id")) if has_next else "",
        encode_cursor("prev", ends[0], _value(found[0], "id")) if has_prev else "",
    )


def keyset_page(queryset: QuerySet[Any], key: Key, *, cursor: str = "", size: int = 50) -> Page:
    """One page of a queryset of models, or of dicts (`.values(...)` with `id` and the key's path).

    Raises Invalid for a damaged cursor.
    """
    place = place_of(cursor, queryset.model, key)
    rows = queryset.filter(key.beyond(place)) if place else queryset
    order = key.order(backwards=place is not None and place.backwards)
    return page_of(list(rows.order_by(*order)[: size + 1]), key, place, size)


def _column(model: Any, path: str) -> Field[Any, Any]:
    field: Any = None
    for name in path.split("__"):
        field = model._meta.get_field(name)
        model = field.related_model
    return field.target_field if field.is_relation else getattr(field, "output_field", field)


def _value(row: Any, path: str) -> Any:
    return row[path] if isinstance(row, dict) else getattr(row, path)


def capped_count(branches: Sequence[QuerySet[Any]], cap: int = COUNT_CAP) -> Count:
    """How many rows disjoint querysets hold together, counted no further than `cap`, in one statement."""
    limited = [branch.order_by().values("id")[: cap + 1] for branch in branches]
    number = limited[0].union(*limited[1:], all=True).count() if len(limited) > 1 else limited[0].count()
    return Count(min(number, cap), number <= cap)
