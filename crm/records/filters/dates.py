"""Relative days and periods, as the reader's calendar has them.

A day begins at midnight where the reader is, however long it lasts: days of 23 and 25 hours are counted as days.
Weeks begin on Monday (ISO 8601); quarters and years are those of the organisation's fiscal year.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dateutil.relativedelta import relativedelta
from django.utils.translation import gettext_lazy as _

FIRST, LAST = date(1000, 1, 1), date(9000, 1, 1)  # beyond these nothing is a date that somebody means
DAYS = {"today": _("today"), "yesterday": _("yesterday"), "tomorrow": _("tomorrow")}
NOW = "now"
UNITS = {"d": _("days"), "w": _("weeks"), "m": _("months"), "q": _("quarters"), "y": _("years")}
PERIODS = {
    **DAYS,
    "this_week": _("this week"),
    "last_week": _("last week"),
    "next_week": _("next week"),
    "this_month": _("this month"),
    "last_month": _("last month"),
    "next_month": _("next month"),
    "this_quarter": _("this quarter"),
    "last_quarter": _("last quarter"),
    "next_quarter": _("next quarter"),
    "this_year": _("this year"),
    "last_year": _("last year"),
    "next_year": _("next year"),
}
_SPAN = re.compile(r"([1-9][0-9]{0,3})([dwmqy])")
_OFFSETS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_TURNS = {"last": -1, "this": 0, "next": 1}


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `first` to the one before `end`; without a bound where it is None."""

    first: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments from `first` to just before `end`; without a bound where it is None."""

    first: datetime | None = None
    end: datetime | None = None


def parse_span(text: str) -> tuple[int, str] | None:
    """The number and the unit of a span such as "30d"; None for what is none."""
    found = _SPAN.fullmatch(text)
    return (int(found[1]), found[2]) if found else None


def parse_day(text: str) -> date | None:
    """A day written 2026-01-31; None for what is none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # ISO 8601 has weeks and other forms besides; one is enough.
    return found if found.isoformat() == text and FIRST <= found <= LAST else None


class Calendar:
    """Today, and what lies around it, where the reader is.

    `first_month` gives the month (1 to 12) in which the fiscal year begins; it is asked only where that matters.
    """

    def __init__(self, now: datetime, zone: tzinfo, first_month: Callable[[], int] = lambda: 1) -> None:
        self.now, self.zone, self._first_month = now, zone, first_month
        self.today = now.astimezone(zone).date()

    def day(self, text: str) -> date | None:
        """The day that a text means: 2026-01-31, or one of DAYS."""
        offset = _OFFSETS.get(text)
        return parse_day(text) if offset is None else self.today + timedelta(days=offset)

    def moment(self, text: str) -> datetime | None:
        """The moment that a text means: "now", or ISO 8601 with a time; without an offset, where the reader is."""
        if text == NOW:
            return self.now
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return None
        if len(text) < 16 or not FIRST <= found.date() <= LAST:
            return None
        return found if found.tzinfo else found.replace(tzinfo=self.zone)

    def period(self, name: str) -> Days | None:
        """The days of one of PERIODS."""
        day = self.day(name) if name in DAYS else None
        if day is not None:
            return Days(day, day + timedelta(days=1))
        turn, _underscore, unit = name.partition("_")
        if name not in PERIODS:
            return None
        first = self._begin(unit) + self._step(_TURNS[turn], unit[0])
        return Days(first, first + self._step(1, unit[0]))

    def _begin(self, unit: str) -> date:
        """The first day of the week, month, quarter or year that today is in."""
        if unit == "week":
            return self.today - timedelta(days=self.today.weekday())
        month = self.today.replace(day=1)
        if unit == "month":
            return month
        length = 3 if unit == "quarter" else 12
        return month - relativedelta(months=(month.month - self._first_month()) % length)

    @staticmethod
    def _step(number: int, unit: str) -> relativedelta:
        steps = {
            "d": relativedelta(days=number),
            "w": relativedelta(weeks=number),
            "m": relativedelta(months=number),
            "q": relativedelta(months=3 * number),
            "y": relativedelta(years=number),
        }
        return steps[unit]

    def _away(self, number: int, unit: str) -> date:
        """The day so many units from today, within what is a date at all."""
        try:
            return min(max(self.today + self._step(number, unit), FIRST), LAST)
        except (ValueError, OverflowError):
            return LAST if number > 0 else FIRST

    def last(self, number: int, unit: str) -> Days:
        """From the day so many units ago until today."""
        return Days(self._away(-number, unit), self.today + timedelta(days=1))

    def next(self, number: int, unit: str) -> Days:
        """From today until the day in so many units."""
        return Days(self.today, self._away(number, unit) + timedelta(days=1))

    def midnight(self, day: date) -> datetime:
        """When a day begins where the reader is; where the clock skips midnight, at the moment it does so."""
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def moments(self, days: Days) -> Moments:
        """The moments of some days."""
        first = None if days.first is None else self.midnight(days.first)
        return Moments(first, None if days.end is None else self.midnight(days.end))

    def past(self, days: Days) -> Moments:
        """The moments of some days until now."""
        return Moments(self.moments(days).first, self.now + timedelta(microseconds=1))

    def future(self, days: Days) -> Moments:
        """The moments of some days from now on."""
        return Moments(self.now, self.moments(days).end)
