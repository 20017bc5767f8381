"""How values of custom fields stand in a record's `custom`, and how they are read back.

Text, e-mail, phone, URL and picklist values are strings; numbers and percents JSON numbers; money
`{"amount": minor units, "currency": "EUR"}`; dates "2026-01-31"; moments "2026-01-31T09:30:00Z" (UTC, so that they sort
as text); check boxes true or false; several choices a list; members and records their ids. An empty value is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from crm.lib.amounts import parse_amount
from crm.lib.money import exponent, is_currency
from crm.lib.phones import MAX as LONGEST_PHONE
from crm.lib.phones import dialled, normalize_phone
from crm.records.registry import Field, FieldType
from crm.tenancy.context import Actor

LONGEST = {FieldType.TEXT: 500, FieldType.LONG_TEXT: 20_000, FieldType.URL: 2000, FieldType.EMAIL: 254}
LARGEST = Decimal(10) ** 15
DIGITS = 6  # decimals of a number
# Of a moment: earlier years are slips, and later ones can't be told in every time zone.
FIRST_YEAR, LAST_YEAR = 1000, 9998
TRUE = frozenset({"1", "true", "yes", "on", "x"})
FALSE = frozenset({"0", "false", "no", "off"})


class BadValueError(ValueError):
    """A value that a field does not take; its text says why, to the person who gave it."""


def stored(field: Field, value: Any, actor: Actor, *, currency: str = "") -> Any:
    """What `custom` holds for a value: one from a form, from JSON, or text as a spreadsheet has it; None for empty.

    `currency` is the one of amounts that bring none. Raises BadValueError.
    """
    if value is None or value == "" or value == [] or value == ():
        return None
    if field.type == FieldType.MONEY:
        return _money(value, currency)
    return _CLEANERS[field.type](field, value, actor)


def _text(field: Field, value: Any, actor: Actor) -> str | None:
    text = str(value).replace("\x00", "").strip()
    if field.type != FieldType.LONG_TEXT:
        text = " ".join(text.split())
    longest = LONGEST.get(field.type, 500)
    if len(text) > longest:
        raise BadValueError(_("This is too long: at most %(max)d characters.") % {"max": longest})
    return text or None


def _email(field: Field, value: Any, actor: Actor) -> str | None:
    text = _text(field, value, actor)
    try:
        if text:
            validate_email(text)
    except ValidationError:
        raise BadValueError(_("Enter an e-mail address, such as name@example.com.")) from None
    return text


def _url(field: Field, value: Any, actor: Actor) -> str | None:
    text = _text(field, value, actor)
    if text and "://" not in text:
        text = f"https://{text}"
    try:
        if text:
            URLValidator(schemes=["http", "https"])(text)
    except ValidationError:
        raise BadValueError(_("Enter a web address, such as https://example.com.")) from None
    return text


def _phone(field: Field, value: Any, actor: Actor) -> str | None:
    """In any form in which people write numbers, with an extension; but one without a digit is none."""
    text = _text(field, value, actor)
    if text and not dialled(text):
        raise BadValueError(_("Enter a phone number, such as +31 10 555 0142."))
    return normalize_phone(text, "")[:LONGEST_PHONE] if text else None


def _number(field: Field, value: Any, actor: Actor) -> int | float:
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value).replace(" ", "").removesuffix("%"))
    except InvalidOperation:
        raise BadValueError(_("Enter a number, such as 1250.5.")) from None
    if isinstance(value, bool) or not number.is_finite() or abs(number) >= LARGEST:
        raise BadValueError(_("Enter a number, such as 1250.5."))
    number = round(number, DIGITS)
    return int(number) if number == number.to_integral_value() else float(number)


def _money(value: Any, currency: str) -> dict[str, Any]:
    """Minor units, or text in units, in a currency of its own or the given one."""
    if isinstance(value, Mapping):
        value, currency = value.get("amount"), str(value.get("currency") or currency)
    if isinstance(value, str):
        words = value.split()
        code = next((word for word in (words[0], words[-1]) if is_currency(word.upper())), "") if words else ""
        currency = code.upper() or currency
        value = value.replace(code, "", 1) if code else value
    if not is_currency(currency):
        raise BadValueError(_("Give the three letters of a currency, such as EUR."))
    try:
        amount = value if isinstance(value, int) and not isinstance(value, bool) else None
        amount = parse_amount(str(value).strip(), exponent(currency)) if amount is None else amount
    except ValueError:
        raise BadValueError(_("Enter an amount such as 1200 or 1,200.50.")) from None
    if abs(amount) >= LARGEST:
        raise BadValueError(_("This amount is too large."))
    return {"amount": amount, "currency": currency}


def _date(field: Field, value: Any, actor: Actor) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(actor.time_zone)).date()
    day = value if isinstance(value, date) else _parsed(parse_date, value)
    if day is None:
        raise BadValueError(_("Enter a date as 2026-01-31."))
    return str(day.isoformat())


def _datetime(field: Field, value: Any, actor: Actor) -> str:
    moment = value if isinstance(value, datetime) else _parsed(parse_datetime, value)
    if moment is None and (day := _parsed(parse_date, value)) is not None:
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- gets its zone below
    if moment is None:
        raise BadValueError(_("Enter a date and time as 2026-01-31 09:30."))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(actor.time_zone))
    # Asked before it is brought to UTC, which may be before the first or after the last moment there is.
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadValueError(_("Enter a date and time from the year 1000 to 9998."))
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _parsed(parse: Callable[[str], Any], value: Any) -> Any:
    try:
        return parse(str(value).strip())
    except ValueError:
        return None


def _checkbox(field: Field, value: Any, actor: Actor) -> bool:
    word = str(value).strip().casefold()
    if word not in TRUE | FALSE:
        raise BadValueError(_("Enter yes or no."))
    return word in TRUE


def _choice(field: Field, value: Any, actor: Actor) -> str:
    word = str(value).strip()
    options = field.options()
    folded = word.casefold()
    found = next((key for key, label in options if word == key), None)
    found = found or next((key for key, label in options if str(label).casefold() == folded), None)
    if found is None:
        raise BadValueError(_("“%(value)s” is not one of the choices.") % {"value": word[:80]})
    return found


def _choices(field: Field, value: Any, actor: Actor) -> list[str] | None:
    words = value.split(";") if isinstance(value, str) else value
    if not isinstance(words, list | tuple | set):
        raise BadValueError(_("“%(value)s” is not one of the choices.") % {"value": str(value)[:80]})
    chosen = {_choice(field, word, actor) for word in words if str(word).strip()}
    return [key for key, _label in field.options() if key in chosen] or None


def _id(field: Field, value: Any, actor: Actor) -> str:
    """A record's or member's id; whether it is there for the actor is asked for all values at once."""
    try:
        return str(value if isinstance(value, UUID) else UUID(str(value)))
    except ValueError:
        raise BadValueError(_("Choose one of the list.")) from None


_CLEANERS: dict[FieldType, Callable[[Field, Any, Actor], Any]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.PERCENT: _number,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.CHECKBOX: _checkbox,
    FieldType.CHOICE: _choice,
    FieldType.MULTI_CHOICE: _choices,
    FieldType.EMAIL: _email,
    FieldType.PHONE: _phone,
    FieldType.URL: _url,
    FieldType.MEMBER: _id,
    FieldType.LOOKUP: _id,
}
KINDS = (*_CLEANERS, FieldType.MONEY, FieldType.FORMULA)  # what a custom field may be


def read(field: Field, values: Mapping[str, Any]) -> Any:
    """A value of `custom` as Python has it: dates, moments and ids are made of their texts; money gives minor units.

    None for an absent one, and for one that does not fit the field.
    """
    value = values.get(field.key)
    if value is None:
        return None
    try:
        match field.type:
            case FieldType.MONEY:
                return int(value["amount"])
            case FieldType.DATE:
                return date.fromisoformat(value)
            case FieldType.DATETIME:
                return datetime.fromisoformat(value)
            case FieldType.MEMBER | FieldType.LOOKUP:
                return UUID(value)
    except (ValueError, TypeError, KeyError):
        return None
    return value


def currency_of(field: Field, values: Mapping[str, Any]) -> str:
    """The currency of a money field's value; "" for an absent one."""
    value = values.get(field.key)
    return str(value.get("currency") or "") if isinstance(value, Mapping) else ""
