"""Sorts by fields that no index has in order: for lists that are short enough to be put in order as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Case, F, Func, IntegerField, Q, TextField, Value, When
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, IsNull, LessThan, LessThanOrEqual

from crm.lib.errors import Invalid
from crm.records.registry import SHORT_TEXTS, Field, FieldType, registry
from crm.web.pagination import Key

_AS_THEY_ARE = frozenset(
    {FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY, FieldType.DATE, FieldType.DATETIME, FieldType.CHECKBOX}
)
_ORDERED = SHORT_TEXTS | _AS_THEY_ARE | {FieldType.CHOICE, FieldType.MEMBER, FieldType.LOOKUP}
_LOOKUPS: dict[str, Any] = {
    "exact": Exact,
    "gt": GreaterThan,
    "gte": GreaterThanOrEqual,
    "lt": LessThan,
    "lte": LessThanOrEqual,
    "isnull": IsNull,
}


class TooLong(Invalid):
    """A list has too many rows to be sorted by a field that no index has in order."""


@dataclass(frozen=True, slots=True)
class LooseKey(Key):
    """A Key by a column without an index. Texts are put in order without case and accents, empty ones last; `ranks` are
    the values of a choice, in the order of the options."""

    ranks: tuple[str, ...] = ()
    is_text: bool = False

    @property
    def is_indexed(self) -> bool:
        """No."""
        return False

    @property
    def expression(self) -> Any:
        """What the rows are put in order by."""
        if self.ranks:
            places = [When(**{self.path: value}, then=Value(place)) for place, value in enumerate(self.ranks)]
            return Case(*places, output_field=IntegerField())
        if self.is_text:
            return Case(When(**{f"{self.path}__gt": ""}, then=_normal(F(self.path))))
        return F(self.path)

    def where(self, lookup: str, value: Any) -> Q:
        """The rows whose value is compared so."""
        if self.ranks or self.is_text:
            other = _normal(Value(value)) if self.is_text and lookup != "isnull" else value
            return Q(_LOOKUPS[lookup](self.expression, other))
        return Q(**{f"{self.path}__{lookup}": value})

    def _past(self, value: Any, row_id: Any, *, down: bool) -> Any:
        way = "lt" if down else "gt"
        return self.where(way, value) | (self.where("exact", value) & Q(**{f"id__{way}": row_id}))

    def value_of(self, row: Any) -> Any:
        """What a cursor holds of a row."""
        value = row[self.path]
        if self.ranks:
            return self.ranks.index(str(value)) if str(value) in self.ranks else None
        return (value or None) if self.is_text else value

    def read(self, value: Any, model: type[Any]) -> Any:
        """The value of a cursor, to be compared with. Raises ValidationError."""
        if value is None or (not self.ranks and not self.is_text):
            return None if value is None else Key.read(self, value, model)
        if not isinstance(value, int if self.ranks else str):
            raise ValidationError("Not a value of this column.")
        return value


def _normal(text: Any) -> Func:
    return Func(text, function="keel_norm", output_field=TextField())


def may_sort(field: Field) -> bool:
    """Whether lists can be sorted by a field, with an index or without."""
    return field.sortable or _is_loose(field)


def _is_loose(field: Field) -> bool:
    return field.type in _ORDERED and not (field.custom or field.secret)


def loose_key(field: Field, *, descending: bool) -> LooseKey | None:
    """How a list is sorted by a field that has no index; None for one whose values have no order."""
    if not _is_loose(field):
        return None
    ranks = tuple(str(value) for value, _label in field.options()) if field.type == FieldType.CHOICE else ()
    return LooseKey(_path(field), descending, nullable=True, ranks=ranks, is_text=field.type in SHORT_TEXTS)


def _path(field: Field) -> str:
    """The column of the values; of members and records their names, in the normalised twin where there is one."""
    if field.type not in (FieldType.MEMBER, FieldType.LOOKUP):
        return field.column
    twin = registry.get(field.target).name_sort_path if field.type == FieldType.LOOKUP else ""
    relation, _sep, name = field.label_paths[0].partition("__")
    return f"{relation}__{twin or name}"
