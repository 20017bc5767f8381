"""One condition on one field, as a Q. Operators that are the opposite of another one are made from it elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, DecimalField, Exists, Func, Q, TextField, Value
from django.db.models.fields.json import HasAnyKeys, HasKeys
from django.db.models.functions import Concat, Length, Right, StrIndex
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, In, IsNull, LessThan, LessThanOrEqual

from crm.access import is_uuid, visible_q
from crm.lib.money import exponent
from crm.records.filters import columns
from crm.records.filters.columns import either
from crm.records.filters.dates import Days, Moments
from crm.records.filters.reader import ME, MY_TEAM, Reader
from crm.records.filters.values import DATES, NUMBERS, TEXTS
from crm.records.registry import Field, FieldType, registry
from crm.tenancy.backend.kept import OneOf
from crm.tenancy.context import array

MOST = Decimal(2**63 - 1)  # the largest number that a column of amounts can hold
LAST = chr(0x10FFFF)  # sorts after every text that shares a prefix, in byte order
_COMPARE: dict[str, Any] = {
    "gt": GreaterThan, "gte": GreaterThanOrEqual, "lt": LessThan, "lte": LessThanOrEqual, "is": Exact,
}  # fmt: skip


def condition(field: Field, op: str, value: Any, model: type[Any], reader: Reader) -> Q:
    """The rows of a model whose field compares so with a value that read_value() gave. `op` is no opposite."""
    if op == "empty":
        return _empty(field, model, reader)
    if field.type in TEXTS:
        return _text(field, op, value, model)
    if field.type in DATES:
        return _within(field, value)
    if field.type in NUMBERS:
        return _number(field, op, value, reader)
    values = value if isinstance(value, list) else [value]
    if field.type == FieldType.CHECKBOX:
        return Q(Exact(columns.value_of(field), Value("true") if field.custom else Value(True)))
    if field.type == FieldType.CHOICE and columns.holds_id(field, model):
        values = [value for value in values if is_uuid(value)]
    return _ONE_OF[field.type](field, op, values, reader)


def _empty(field: Field, model: type[Any], reader: Reader) -> Q:
    value = columns.value_of(field)
    is_null = Q(IsNull(value, True))
    if field.type in TEXTS or field.type == FieldType.CHOICE:
        return is_null if columns.holds_id(field, model) else is_null | Q(Exact(value, Value("")))
    if field.type == FieldType.LOOKUP:
        return ~Q(seen(field, reader)) if _is_hidden(reader) else is_null
    if field.type in (FieldType.TAGS, FieldType.MULTI_CHOICE):
        return is_null | (Q(Exact(value, Value("[]"))) if field.custom else Q(**{f"{field.column}__len": 0}))
    return is_null if field.type != FieldType.MONEY else Q(IsNull(columns.number_of(field), True))


# ---------------------------------------------------------------- text


def _text(field: Field, op: str, value: Any, model: type[Any]) -> Q:
    text = columns.text_of(field, model)
    if op == "any_of":
        return either([Exact(text.expression, text.normal(each)) for each in value])
    normal = text.normal(value)
    match op:
        case "contains":
            return Q(GreaterThan(StrIndex(text.expression, normal), 0))
        case "starts_with" if text.twin:
            # A range in byte order, not LIKE: under row-level security only leakproof operators use an index.
            end = Concat(normal, Value(LAST), output_field=TextField())
            return Q(GreaterThanOrEqual(text.expression, normal)) & Q(LessThan(text.expression, end))
        case "starts_with":
            return Q(Func(text.expression, normal, function="starts_with", output_field=columns.BooleanField()))
        case "ends_with":
            return Q(Exact(Right(text.expression, Length(normal)), normal))
        case _:
            return Q(Exact(text.expression, normal))


# ---------------------------------------------------------------- numbers and money


def _number(field: Field, op: str, value: Any, reader: Reader) -> Q:
    if op == "between":
        return _number(field, "gte", value[0], reader) & _number(field, "lte", value[1], reader)
    if field.type == FieldType.MONEY:
        return _money(field, op, value, reader)
    return Q(_COMPARE[op](columns.number_of(field), _exact(value)))


def _exact(value: Decimal) -> Value:
    """A number as SQL that loses nothing; whole ones such that an index of whole numbers serves them."""
    whole = value == value.to_integral_value()
    return Value(int(value), BigIntegerField()) if whole else Value(value, DecimalField())


def _money(field: Field, op: str, amount: Decimal, reader: Reader) -> Q:
    """Amounts on one side of `amount` units of the base currency, each at its rate of today.

    What is in a currency without a rate is on neither side.
    """
    found = []
    for currency, rate in reader.rates.items():
        # In minor units, rounded to the nearest, as the amounts beside it are shown. In a weak currency that may be
        # more than an amount can be: then nothing is above it, and everything below.
        exact = amount / rate * Decimal(10) ** exponent(currency)
        bound = int(max(-MOST, min(exact, MOST)).quantize(Decimal(1), ROUND_HALF_UP))
        compared = _COMPARE[op](columns.number_of(field), Value(bound, BigIntegerField()))
        found.append(Q(Exact(columns.currency_of(field), Value(currency))) & Q(compared))
    return either(found)


# ---------------------------------------------------------------- dates


def _within(field: Field, span: Days | Moments) -> Q:
    value, found = columns.value_of(field), Q()
    if span.first is not None:
        found &= Q(GreaterThanOrEqual(value, _stored(field, span.first)))
    if span.end is not None:
        found &= Q(LessThan(value, _stored(field, span.end)))
    return found


def _stored(field: Field, edge: date | datetime) -> Any:
    """A bound in the form in which a field holds its values: custom ones are texts that sort as the moments do."""
    if not field.custom:
        return edge
    if not isinstance(edge, datetime):
        return Value(edge.isoformat())
    second = edge.astimezone(UTC).replace(tzinfo=None)
    # Values are whole seconds, so a bound within one lies at the next.
    second += timedelta(microseconds=-second.microsecond % 1_000_000)
    return Value(f"{second.isoformat(timespec='seconds')}Z")


# ---------------------------------------------------------------- one of many


def _choice(field: Field, op: str, values: list[Any], reader: Reader) -> Q:
    return Q(In(columns.value_of(field), values))


def _member(field: Field, op: str, values: list[Any], reader: Reader) -> Q:
    ids: set[UUID] = {value for value in values if isinstance(value, UUID)}
    if ME in values and reader.actor.member_id:
        ids.add(reader.actor.member_id)
    if MY_TEAM in values:
        ids |= reader.team
    if field.custom:
        return Q(In(columns.value_of(field), sorted(map(str, ids))))
    return Q(OneOf(field.column, array(sorted(ids))))


def _lookup(field: Field, op: str, values: list[Any], reader: Reader) -> Q:
    ids = sorted(map(str, values)) if field.custom else sorted(values)
    found = Q(In(columns.value_of(field), ids))
    return found & Q(seen(field, reader)) if _is_hidden(reader) else found


def _is_hidden(reader: Reader) -> bool:
    """Whether a record may name others that the reader does not see."""
    return reader.actor.read != "all"


def seen(field: Field, reader: Reader) -> Exists:
    """The record that a lookup names is one that the reader sees: what is hidden is no value."""
    model = registry.target(field.target).model
    rows = model._default_manager.filter(visible_q(model, reader.actor))
    return Exists(rows.filter(pk=columns.outer_id(field)))


def _tags(field: Field, op: str, values: list[Any], reader: Reader) -> Q:
    return Q(**{f"{field.column}__{'contains' if op == 'all_of' else 'overlap'}": values})


def _multi_choice(field: Field, op: str, values: list[Any], reader: Reader) -> Q:
    if not field.custom:
        return _tags(field, op, values, reader)
    return Q((HasKeys if op == "all_of" else HasAnyKeys)(columns.json_of(field), values))


_ONE_OF: dict[FieldType, Callable[[Field, str, list[Any], Reader], Q]] = {
    FieldType.CHOICE: _choice,
    FieldType.MEMBER: _member,
    FieldType.LOOKUP: _lookup,
    FieldType.TAGS: _tags,
    FieldType.MULTI_CHOICE: _multi_choice,
}
