"""Short forms of single conditions in an address: `owner=me`, `amount.min=50000`, `close_date=overdue`."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from crm.lib.errors import Invalid
from crm.records.filters.dates import PERIODS
from crm.records.filters.fields import filterable
from crm.records.filters.tree import Condition, Scalar
from crm.records.filters.values import DATES, NUMBERS
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor

BOUNDS = {"from": "gte", "to": "lte", "min": "gte", "max": "lte"}
OVERDUE = "overdue"


def field_of(record_type: RecordType, name: str, actor: Actor) -> tuple[Field, str]:
    """The field and the bound ("" for none) that a parameter such as "amount.min" names. Raises Invalid."""
    key, dot, bound = name.partition(".")
    for field in filterable(record_type, actor):
        if field.key == key and (not dot or (bound in BOUNDS and field.type in DATES | NUMBERS)):
            return field, bound
    raise Invalid(_("The list can't be filtered by “%(name)s”. Remove it from the address.") % {"name": name[:80]})


def short_conditions(
    record_type: RecordType, params: Mapping[str, tuple[str, ...]], actor: Actor
) -> dict[str, Condition]:
    """The condition that each parameter stands for, by its name. Raises Invalid."""
    return {name: _condition(*field_of(record_type, name, actor), name, params[name]) for name in params}


def _condition(field: Field, bound: str, name: str, values: tuple[str, ...]) -> Condition:
    first = values[0].strip()
    if bound:
        return Condition(field.key, BOUNDS[bound], first if field.type in DATES else _number(field, first))
    if field.type in DATES:
        return _date(field, first)
    if field.type in NUMBERS:
        return Condition(field.key, "is", _number(field, first))
    if field.type == FieldType.CHECKBOX:
        return Condition(field.key, "is", first in ("1", "true", "on"))
    return Condition(field.key, "any_of", tuple(values))


def _date(field: Field, text: str) -> Condition:
    if text == OVERDUE:
        return Condition(field.key, "lt", "today")
    if text == "last_30_days":
        return Condition(field.key, "in_last", "30d")
    return Condition(field.key, "in", text) if text in PERIODS else Condition(field.key, "is", text)


def _number(field: Field, text: str) -> Scalar:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        message = _("“%(value)s” is not a value of “%(field)s”. Dates are written 2026-01-31, numbers 1250.50.")
        raise Invalid(message % {"value": text[:40], "field": field.label}) from None
