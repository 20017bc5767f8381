"""Text of a cell to a value, the way other CRMs write it. Pure. What can't be understood raises ValueError with a
sentence for the person who imports."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from dateutil import parser as dates
from django.utils.translation import gettext as _

from crm.records.stored import FIRST_YEAR, LAST_YEAR

YES = frozenset({"1", "true", "yes", "y", "ja", "oui", "si", "sim", "x", "on"})
NO = frozenset({"0", "false", "no", "n", "nein", "non", "nao", "off", ""})
_NUMERIC_DATE = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{2}|\d{4})(?!\d)")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_SYMBOLS = {"€": "EUR", "£": "GBP", "¥": "JPY", "us$": "USD", "$": "USD", "₹": "INR", "zł": "PLN", "kč": "CZK"}


def normal(text: str) -> str:
    """A name as it is compared: without case, accents, punctuation and a trailing `*`."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def day_first(values: Iterable[str]) -> bool | None:
    """Whether a column writes the day before the month; None where no value decides it."""
    for value in values:
        match = _NUMERIC_DATE.match(value.strip())
        if match and int(match[1]) > 12:
            return True
        if match and int(match[2]) > 12:
            return False
        if match and "." in value[: match.end()]:
            return True  # dots are written by languages that put the day first
    return None


def parse_datetime(text: str, *, day_comes_first: bool, zone: ZoneInfo) -> datetime:
    """A moment in UTC; one without a zone is taken to be in `zone`, a day without a time begins at midnight there.

    What people write of the first centuries is a slip, and the end of time can't be told in every zone.
    """
    moment = _moment(text, day_comes_first=day_comes_first, zone=zone)
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(_("“%(text)s” is not a date and time from the year 1000 to 9998.") % {"text": text})
    return moment


def _moment(text: str, *, day_comes_first: bool, zone: ZoneInfo) -> datetime | None:
    """A moment in UTC; None where there it would be before the first or after the last one."""
    value = text.strip()
    try:
        if _ISO.match(value):
            moment = dates.isoparse(value.replace(" ", "T", 1)) if "T" not in value else dates.isoparse(value)
        else:
            moment = dates.parse(value, dayfirst=day_comes_first, default=datetime(2000, 1, 1))  # noqa: DTZ001 -- zone below
    except (ValueError, OverflowError):
        raise ValueError(_("“%(text)s” is not a date.") % {"text": text}) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def parse_date(text: str, *, day_comes_first: bool) -> date:
    """A day."""
    moment = _moment(text, day_comes_first=day_comes_first, zone=ZoneInfo("UTC"))
    if moment is None:
        raise ValueError(_("“%(text)s” is not a date.") % {"text": text})
    return moment.date()


def decimal_comma(values: Iterable[str], *, delimiter: str) -> bool:
    """Whether a column writes its amounts with a comma before the decimals.

    Values with both signs, or with one that is not followed by three digits, decide; else files that are separated by
    semicolons come from countries that write a comma.
    """
    for value in values:
        text = re.sub(r"[^\d.,]", "", value)
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and point >= 0:
            return comma > point
        at = max(comma, point)
        if at >= 0 and (len(text) - at - 1 != 3 or text.count(text[at]) > 1):
            repeated = text.count(text[at]) > 1
            return (text[at] == ",") != repeated
    return delimiter == ";"


def parse_decimal(text: str, *, comma: bool) -> Decimal:
    """A number as people and programs write it: "1,234.50", "1.234,50 €", "(12)", "1 200"."""
    value = text.strip()
    negative = bool(re.fullmatch(r"\D*\(.*\)\D*", value)) or "-" in value or "\u2212" in value
    digits = re.sub(r"[^\d.,eE+]" if re.fullmatch(r"[\d.]+[eE]\+?\d+", value) else r"[^\d.,]", "", value)
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    try:
        number = Decimal(digits)
    except InvalidOperation:
        raise ValueError(_("“%(text)s” is not a number.") % {"text": text}) from None
    return -number if negative else number


def parse_money(text: str, *, digits: int, comma: bool) -> int:
    """An amount in minor units of a currency with `digits` decimals."""
    number = parse_decimal(text, comma=comma).scaleb(digits)
    if number != number.to_integral_value():
        raise ValueError(_("“%(text)s” has more decimals than its currency.") % {"text": text})
    if abs(number) >= 2**63:
        raise ValueError(_("“%(text)s” is too large.") % {"text": text})
    return int(number)


def currency_in(text: str) -> str:
    """The ISO 4217 code that an amount is written with, or ""."""
    lower = text.casefold()
    if code := re.search(r"\b([A-Z]{3})\b", text):
        return code[1]
    return next((code for symbol, code in _SYMBOLS.items() if symbol in lower), "")


def parse_bool(text: str) -> bool:
    """Yes or no."""
    value = normal(text)
    if value in YES:
        return True
    if value in NO:
        return False
    raise ValueError(_("“%(text)s” is neither yes nor no.") % {"text": text})


def split_name(full: str) -> tuple[str, str]:
    """First and last name of a single name; "Last, First" is understood."""
    text = " ".join(full.split())
    if ", " in text:
        last, first = text.split(", ", 1)
        return first, last
    first, _blank, last = text.rpartition(" ") if len(text.split()) == 2 else text.partition(" ")
    return (first, last) if last else ("", first) if first else ("", "")


def split_many(text: str) -> list[str]:
    """Several values in one cell, separated by semicolons as HubSpot does, or by commas as Pipedrive does."""
    separator = ";" if ";" in text else ","
    return [part.strip() for part in text.split(separator) if part.strip()]
