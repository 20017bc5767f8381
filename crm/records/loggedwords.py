"""What the audit log holds of a value, in words: numbers, days and moments as the reader writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from crm.records.registry import FieldType
from crm.web import formats

LONGEST = 300  # characters shown of a long text


def cut(text: str) -> str:
    """A text, as far as a history shows it."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _day(value: Any) -> str:
    return formats.date_full(date.fromisoformat(str(value)[:10]))


def _moment(value: Any) -> str:
    return formats.date_time(datetime.fromisoformat(str(value)))


WORDS: dict[FieldType, Callable[[Any], str]] = {
    FieldType.CHECKBOX: lambda value: _("Yes") if value else _("No"),
    FieldType.NUMBER: formats.number,
    FieldType.PERCENT: lambda value: f"{formats.number(value)} %",
    FieldType.DATE: _day,
    FieldType.DATETIME: _moment,
}
