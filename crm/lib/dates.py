"""Days and the spans that they are counted in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of a fiscal year: its first day, the first day after it, and how many days it still has."""

    begins: date
    ends: date
    days_left: int  # today among them


def quarter_of(today: date, first_month: int) -> Quarter:
    """The quarter that a day is in, of a fiscal year that begins with `first_month` (1 to 12)."""
    months = today.year * 12 + today.month - 1
    first = months - (today.month - first_month) % 3
    ends = _first_day(first + 3)
    return Quarter(_first_day(first), ends, (ends - today).days)


def _first_day(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)
