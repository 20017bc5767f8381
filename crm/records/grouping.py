"""Groups of a list's rows by the values of a field: their heads with counts and subtotals, and what one holds."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Count, DecimalField, Exists, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Substr, TruncMonth
from django.db.models.lookups import Exact, IsNull
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm import access
from crm.lib.errors import Invalid
from crm.lib.money import exponent
from crm.records import lists
from crm.records.filters import columns
from crm.records.filters.conditions import seen
from crm.records.filters.limits import stopped_in_time
from crm.records.filters.reader import Reader
from crm.records.filters.tree import Condition, all_of, members_of
from crm.records.listquery import ListQuery, field_among, group_fields
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor

MOST = 200  # groups of one list
_AMOUNT = DecimalField(max_digits=38, decimal_places=10)
_DATES = (FieldType.DATE, FieldType.DATETIME)


@dataclass(frozen=True, slots=True)
class Subtotal:
    """A subtotal: a number, or minor units of `currency`. `apart` counts amounts in currencies without a rate."""

    value: Decimal
    currency: str = ""
    apart: int = 0

    def __add__(self, other: Subtotal) -> Subtotal:
        return Subtotal(self.value + other.value, self.currency, self.apart + other.apart)


@dataclass(frozen=True, slots=True)
class Head:
    """A group: its key in addresses ("" for rows without a value), what it is called, how many rows, subtotals."""

    key: str
    label: str
    count: int
    sums: dict[str, Subtotal] = field(default_factory=dict)
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a list, and whether those are all."""

    heads: list[Head]
    complete: bool

    @property
    def count(self) -> int:
        """How many rows they hold together."""
        return sum(head.count for head in self.heads)

    @property
    def sums(self) -> dict[str, Subtotal]:
        """The subtotals together, by column."""
        found: dict[str, Subtotal] = {}
        for head in self.heads:
            for key, one in head.sums.items():
                found[key] = found[key] + one if key in found else one
        return found


def summed(shown: Sequence[Field]) -> list[Field]:
    """The columns that have subtotals."""
    return [column for column in shown if column.type in (FieldType.MONEY, FieldType.NUMBER)]


def groups_of(
    record_type: RecordType, query: ListQuery, key: str, actor: Actor, shown: Sequence[Field], currency: str
) -> Groups:
    """The groups of a list by a field, with subtotals of the columns that are shown, in one statement.

    Money is worth what it is in `currency`, the base currency, by today's rates. Of more than MOST groups the largest
    are given. Raises Invalid, and TooSlow.
    """
    grouped = _field(record_type, key, actor)
    reader = Reader(actor)
    rates = reader.rates if any(column.type == FieldType.MONEY for column in summed(shown)) else {}
    with stopped_in_time():
        rows = visible_rows(record_type, query, actor).values(group_key=_key(grouped, record_type, reader))
        rows = rows.annotate(group_count=Count("*"), **_sums(summed(shown), rates, currency))
        found = list(rows.order_by("-group_count")[: MOST + 1])
    labels = _labels(record_type, grouped, [row["group_key"] for row in found])
    heads = [_head(grouped, row, labels, summed(shown), currency) for row in found[:MOST]]
    return Groups(sorted(_merged(heads), key=_order(grouped)), len(found) <= MOST)


def within(query: ListQuery, record_type: RecordType, group: str, key: str, actor: Actor) -> ListQuery:
    """The list of one group's rows. Raises Invalid."""
    condition = condition_of(_field(record_type, group, actor), key)
    return replace(query, where=all_of([*members_of(query.where), condition]), group="")


def condition_of(grouped: Field, key: str) -> Condition:
    """What the rows of a group have in common. Raises Invalid for a key that no group of the field can have."""
    if grouped.type == FieldType.CHECKBOX:
        return Condition(grouped.key, "is", key == "true")
    if not key:
        return Condition(grouped.key, "empty")
    damaged = Invalid(_("This page's address is damaged. Open the list again."))
    if "\0" in key:
        raise damaged
    if grouped.type not in _DATES:
        return Condition(grouped.key, "is", key)
    try:
        first = date.fromisoformat(f"{key}-01")
    except ValueError:
        raise damaged from None
    return Condition(grouped.key, "between", (first.isoformat(), first.replace(day=_days(first)).isoformat()))


def visible_rows(record_type: RecordType, query: ListQuery, actor: Actor) -> QuerySet[Any]:
    """All rows of a list that the actor sees, in no order. Raises Invalid."""
    return access.all_rows(lists.filtered(record_type, query, actor), actor)


def _days(month: date) -> int:
    return monthrange(month.year, month.month)[1]


def _field(record_type: RecordType, key: str, actor: Actor) -> Field:
    message = _("The list can't be grouped by “%(name)s”. Remove it from the address.")
    return field_among(group_fields(record_type, actor), key, message)


# ---------------------------------------------------------------- SQL


def _key(grouped: Field, record_type: RecordType, reader: Reader) -> Any:
    value = columns.value_of(grouped)
    if grouped.type == FieldType.CHECKBOX:
        ticked = Exact(value, Value("true")) if grouped.custom else value
        return Coalesce(ticked, Value(False), output_field=BooleanField())
    if grouped.type in _DATES:
        return Substr(value, 1, 7) if grouped.custom else TruncMonth(value)
    if grouped.type == FieldType.LOOKUP and reader.actor.read != "all":
        # A record that the reader does not see is no value: its rows are among those without one.
        there: Exists = seen(grouped, reader)
        return Case(When(there, then=value))
    return value


def _sums(shown: Sequence[Field], rates: dict[str, Decimal], currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, column in enumerate(shown):
        amount = columns.number_of(column)
        if column.type == FieldType.NUMBER:
            found[f"sum_{number}"] = Sum(Cast(amount, _AMOUNT))
            continue
        worth = [
            When(
                Exact(columns.currency_of(column), Value(each)),
                then=Cast(amount, _AMOUNT) * Value(_factor(rates[each], each, currency), _AMOUNT),
            )
            for each in rates
        ]
        found[f"sum_{number}"] = Sum(Case(*worth, output_field=_AMOUNT))
        is_known = columns.either([Exact(columns.currency_of(column), Value(each)) for each in rates])
        found[f"apart_{number}"] = Count("pk", filter=~is_known & Q(IsNull(amount, False)))
    return found


def _factor(rate: Decimal, code: str, base: str) -> Decimal:
    """What a minor unit of a currency is worth in minor units of the base currency."""
    return rate.scaleb(exponent(base) - exponent(code))


# ---------------------------------------------------------------- heads


def _head(grouped: Field, row: dict[str, Any], labels: dict[Any, str], shown: Sequence[Field], currency: str) -> Head:
    key = _text_key(row["group_key"])
    sums = {
        column.key: Subtotal(
            row[f"sum_{number}"] or Decimal(0),
            currency if column.type == FieldType.MONEY else "",
            row.get(f"apart_{number}", 0),
        )
        for number, column in enumerate(shown)
    }
    tones = grouped.tones() if callable(grouped.tones) else grouped.tones or {}
    return Head(key, _label(grouped, key, row["group_key"], labels), row["group_count"], sums, tones.get(key, ""))


def _text_key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.strftime("%Y-%m")
    return "" if value is None else str(value)


def _label(grouped: Field, key: str, value: Any, labels: dict[Any, str]) -> str:
    if grouped.type == FieldType.CHECKBOX:
        return _("Yes") if value else _("No")
    if not key:
        return _("None")
    if grouped.type in _DATES:
        return date_format(date.fromisoformat(f"{key}-01"), "F Y")
    if grouped.type == FieldType.CHOICE:
        return str(dict(grouped.options()).get(key, key))
    return labels.get(key) or _("(no name)")


def _labels(record_type: RecordType, grouped: Field, values: Sequence[Any]) -> dict[Any, str]:
    """What the members and records among the values are called: one statement."""
    if grouped.type not in (FieldType.MEMBER, FieldType.LOOKUP):
        return {}
    rows = [{grouped.column: UUID(str(value))} for value in values if value is not None]
    return {str(pk): name for pk, name in lists.labels_of(record_type, [grouped], rows).names.items()}


def _merged(heads: Sequence[Head]) -> list[Head]:
    """The heads, those of one key together: an empty text and no value at all are both none."""
    found: dict[str, Head] = {}
    for head in heads:
        same = found.get(head.key)
        if same is not None:
            sums = {key: same.sums[key] + one for key, one in head.sums.items()}
            head = replace(head, count=same.count + head.count, sums=sums)  # noqa: PLW2901 -- the two together
        found[head.key] = head
    return list(found.values())


def _order(grouped: Field) -> Any:
    """Options in their order, months from the newest, the rest by name; what has no value at the end."""
    if grouped.type == FieldType.CHOICE:
        place = {key: number for number, (key, *_rest) in enumerate(grouped.options())}
        return lambda head: (not head.key, place.get(head.key, len(place)), head.label)
    if grouped.type in _DATES:
        return lambda head: (not head.key, [-int(part) for part in head.key.split("-") if part])
    if grouped.type == FieldType.CHECKBOX:
        return lambda head: head.key != "true"
    return lambda head: (not head.key, head.label.casefold())
