"""Values of conditions: from what JSON can say to what is compared, by the field's type and the operator's shape."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm.access import is_uuid
from crm.records.filters.dates import Calendar, Days, Moments, parse_span
from crm.records.filters.operators import Operator, Shape
from crm.records.filters.reader import ME, MY_TEAM, Reader
from crm.records.filters.tree import Scalar, Value, wrong
from crm.records.registry import SHORT_TEXTS, Field, FieldType

LARGEST = 10**15  # a bound beyond which there is nothing
TEXTS = SHORT_TEXTS | {FieldType.LONG_TEXT}
NUMBERS = frozenset({FieldType.NUMBER, FieldType.MONEY, FieldType.PERCENT})
DATES = frozenset({FieldType.DATE, FieldType.DATETIME})


def read_value(field: Field, operator: Operator, value: Value, place: str, reader: Reader) -> Any:
    """What a field is compared with: text, Decimal, bool or id, a list of them, or Days or Moments for dates.

    Raises Invalid, which names the place, for a value that the field or the operator can't have.
    """
    if operator.shape == Shape.NOTHING:
        if value is not None:
            raise wrong(place, _("“%(operator)s” takes no value.") % {"operator": operator.label})
        return None
    values = _listed(field, operator, value, place)
    if field.type in DATES:
        return _dates(field, operator, values, place, reader.calendar)
    found = [_scalar(field, each, place, reader) for each in values]
    return found[0] if operator.shape == Shape.ONE else found


def _listed(field: Field, operator: Operator, value: Value, place: str) -> tuple[Scalar, ...]:
    """The values of a condition, as many as the operator takes."""
    words = {"operator": operator.label}
    if operator.shape in (Shape.LIST, Shape.RANGE):
        if not isinstance(value, tuple):
            raise wrong(place, _("“%(operator)s” takes a list of values.") % words)
        if operator.shape == Shape.RANGE and len(value) != 2:
            raise wrong(place, _("“%(operator)s” takes two values: from and to.") % words)
        if not value:
            raise wrong(place, _("“%(operator)s” takes at least one value.") % words)
        return value
    if value is None or isinstance(value, tuple):
        raise wrong(place, _("“%(operator)s” takes one value.") % words)
    return (value,)


def _scalar(field: Field, value: Scalar, place: str, reader: Reader) -> Any:
    if field.type in NUMBERS:
        return _number(field, value, place)
    if field.type == FieldType.CHECKBOX:
        if not isinstance(value, bool):
            raise wrong(place, _("“%(field)s” is true or false.") % {"field": field.label})
        return value
    # In the text form a word of digits is a number.
    text = str(value) if isinstance(value, str) or type(value) is int else ""
    if field.type in TEXTS:
        return _text(field, text, place)
    if field.type == FieldType.MEMBER:
        return text if text in (ME, MY_TEAM) else _id(field, text, place)
    if field.type in (FieldType.LOOKUP, FieldType.TAGS):
        return _id(field, text, place)
    return _option(field, text, place)


def _text(field: Field, text: str, place: str) -> str:
    if not text.strip():
        message = _("“%(field)s” is compared with a text. To find records without one, use “is empty”.")
        raise wrong(place, message % {"field": field.label})
    if field.type == FieldType.PHONE and not any(character.isdigit() for character in text):
        raise wrong(place, _("“%(field)s” is compared by its digits: write at least one.") % {"field": field.label})
    return text


def _number(field: Field, value: Scalar, place: str) -> Decimal:
    if isinstance(value, bool | str):
        message = _("“%(field)s” is a number, such as 1250.50.")
        raise wrong(place, message % {"field": field.label})
    if abs(value) > LARGEST:
        raise wrong(place, _("This number is too large for “%(field)s”.") % {"field": field.label})
    return Decimal(str(value))


def _id(field: Field, text: str, place: str) -> UUID:
    if not is_uuid(text):
        raise wrong(place, _("“%(field)s” is compared with the id of a record.") % {"field": field.label})
    return UUID(text)


def _option(field: Field, text: str, place: str) -> str:
    # Options that are fixed are all there are; others come and go, and one that is gone matches nothing.
    if isinstance(field.choices, type) and text not in field.choices.values:
        message = _("“%(value)s” is no option of “%(field)s”.")
        raise wrong(place, message % {"value": text[:40], "field": field.label})
    if not text:
        raise wrong(place, _("“%(field)s” is compared with one of its options.") % {"field": field.label})
    return text


def _dates(
    field: Field, operator: Operator, values: tuple[Scalar, ...], place: str, calendar: Calendar
) -> Days | Moments:
    exact = field.type == FieldType.DATETIME
    texts = [value if isinstance(value, str) else "" for value in values]
    if operator.shape == Shape.PERIOD:
        days = calendar.period(texts[0])
        if days is None:
            raise wrong(place, _("“%(value)s” is no period such as this_month.") % {"value": texts[0][:40]})
        return calendar.moments(days) if exact else days
    if operator.shape == Shape.SPAN:
        return _span(operator, texts[0], place, calendar, exact=exact)
    return _bounds(field, operator, texts, place, calendar)


def _span(operator: Operator, text: str, place: str, calendar: Calendar, *, exact: bool) -> Days | Moments:
    found = parse_span(text)
    if found is None:
        message = _("“%(value)s” is no number of days, weeks, months, quarters or years such as 30d, 2w, 6m, 1q, 1y.")
        raise wrong(place, message % {"value": text[:40]})
    if operator.key.endswith("in_last"):
        days = calendar.last(*found)
        return calendar.past(days) if exact else days
    days = calendar.next(*found)
    return calendar.future(days) if exact else days


def _bounds(field: Field, operator: Operator, texts: list[str], place: str, calendar: Calendar) -> Days | Moments:
    """What `is`, `between`, `lt`, `lte`, `gt` and `gte` leave, days of a range included."""
    first, last = texts[0], texts[-1]
    begins = operator.key in ("is", "is_not", "between", "gte")
    after = _edge(field, first, place, calendar, end=not begins) if operator.key not in ("lt", "lte") else None
    ends = operator.key != "lt"
    until = _edge(field, last, place, calendar, end=ends) if operator.key not in ("gt", "gte") else None
    if field.type == FieldType.DATETIME:
        return Moments(after, until)
    return Days(after, until)


def _edge(field: Field, text: str, place: str, calendar: Calendar, *, end: bool) -> Any:
    """The beginning of the day or moment that a text names; with `end`, that of the next one."""
    day: date | None = calendar.day(text)
    if day is not None:
        day += timedelta(days=int(end))
        return calendar.midnight(day) if field.type == FieldType.DATETIME else day
    moment: datetime | None = calendar.moment(text) if field.type == FieldType.DATETIME else None
    if moment is None:
        message = _("“%(value)s” is no date such as 2026-01-31.")
        raise wrong(place, message % {"value": text[:40]})
    return moment + timedelta(microseconds=int(end))
