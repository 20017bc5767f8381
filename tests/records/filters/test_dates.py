"""Days and periods where the reader is, on days of 23 and 25 hours, too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.records.filters.dates import FIRST, LAST, PERIODS, Calendar, Days, parse_day, parse_span

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Havana", "Pacific/Apia", "Asia/Kolkata")


def calendar(moment: str, zone: str = "Europe/Berlin", first_month: int = 1) -> Calendar:
    return Calendar(datetime.fromisoformat(moment), ZoneInfo(zone), lambda: first_month)


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00+00:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00+00:00", 25),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00:00+00:00", 25),
        # The clock skips midnight: the day begins at one.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00+00:00", 23),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00+00:00", 25),
        ("Asia/Kolkata", "2026-03-29", "2026-03-28T18:30:00+00:00", 24),
    ],
)
def test_days_begin_where_the_reader_is(zone: str, day: str, begins: str, hours: int) -> None:
    first = date.fromisoformat(day)
    moments = calendar("2026-06-01T12:00:00+00:00", zone).moments(Days(first, first + timedelta(days=1)))
    assert moments.first == datetime.fromisoformat(begins)
    assert moments.end is not None
    assert moments.end - moments.first == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("moment", "zone", "today"),
    [
        ("2026-03-31T22:30:00+00:00", "Europe/Berlin", "2026-04-01"),
        ("2026-04-01T03:30:00+00:00", "America/New_York", "2026-03-31"),
    ],
)
def test_today_is_the_readers(moment: str, zone: str, today: str) -> None:
    found = calendar(moment, zone)
    assert found.today == date.fromisoformat(today)
    assert found.period("this_month") == Days(found.today.replace(day=1), _next_month(found.today))


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


@pytest.mark.parametrize(
    ("name", "first_month", "first", "end"),
    [
        ("this_week", 1, "2026-11-16", "2026-11-23"),
        ("last_week", 1, "2026-11-09", "2026-11-16"),
        ("next_month", 1, "2026-12-01", "2027-01-01"),
        ("this_quarter", 1, "2026-10-01", "2027-01-01"),
        ("this_quarter", 2, "2026-11-01", "2027-02-01"),
        ("last_quarter", 3, "2026-06-01", "2026-09-01"),
        ("this_year", 1, "2026-01-01", "2027-01-01"),
        ("this_year", 4, "2026-04-01", "2027-04-01"),
        ("next_year", 12, "2026-12-01", "2027-12-01"),
        ("last_year", 12, "2024-12-01", "2025-12-01"),
    ],
)
def test_periods_follow_iso_weeks_and_the_fiscal_year(name: str, first_month: int, first: str, end: str) -> None:
    found = calendar("2026-11-22T12:00:00+00:00", first_month=first_month).period(name)
    assert found == Days(date.fromisoformat(first), date.fromisoformat(end))


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- given UTC there
    st.sampled_from(ZONES),
    st.integers(1, 12),
)
def test_periods_meet_without_gaps(moment: datetime, zone: str, first_month: int) -> None:
    found = Calendar(moment, ZoneInfo(zone), lambda: first_month)
    assert found.moments(Days(found.today)).first <= moment
    for unit in ("week", "month", "quarter", "year"):
        last, this, following = (found.period(f"{turn}_{unit}") for turn in ("last", "this", "next"))
        assert None not in (last, this, following)
        assert last.end == this.first
        assert this.end == following.first
        assert this.first <= found.today < this.end
    assert all(found.period(name) for name in PERIODS)


@given(st.integers(1, 9999), st.sampled_from("dwmqy"))
def test_spans_stay_within_what_is_a_date(number: int, unit: str) -> None:
    found = calendar("2026-11-22T12:00:00+00:00")
    last, following = found.last(number, unit), found.next(number, unit)
    assert FIRST <= last.first < found.today
    assert found.today < following.end <= LAST + timedelta(days=1)
    assert found.past(last).end == found.now + timedelta(microseconds=1)


@pytest.mark.parametrize("text", ["", "30", "0d", "-1d", "30days", "99999d", "d", "1.5d", "30 d", "３d"])
def test_what_is_no_span_is_none(text: str) -> None:
    assert parse_span(text) is None


@pytest.mark.parametrize("text", ["", "2026-02-30", "20260131", "0999-01-01", "9999-12-31", "2026-W01-1", "31.1.2026"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert parse_day(text) is None
    assert calendar("2026-11-22T12:00:00+00:00").day(text) is None


def test_a_moment_without_an_offset_is_the_readers() -> None:
    found = calendar("2026-11-22T12:00:00+00:00")
    assert found.moment("2026-07-01T10:00") == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert found.moment("2026-07-01T10:00:00Z") == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert (found.moment("2026-07-01"), found.moment("soon")) == (None, None)
