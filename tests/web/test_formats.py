"""How values look on a page."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import format_currency, format_decimal
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from crm.web import formats

NOW = dt.datetime(2026, 11, 19, 9, 41, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _nineteenth_of_november(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with translation.override("en"), timezone.override(ZoneInfo("Europe/Berlin")):
        yield


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (14_800_000, "EUR", "€148,000"),
        (123_450, "EUR", "€1,234.50"),
        (-420_000, "EUR", "\u2212€4,200"),
        (0, "EUR", "€0"),
        (1234, "JPY", "¥1,234"),
        (1234, "KWD", "KWD\xa01.234"),
        (None, "EUR", ""),
    ],
)
def test_money_exact(minor: int | None, currency: str, text: str) -> None:
    assert formats.money(minor, currency) == text


@pytest.mark.parametrize(
    ("minor", "text"), [(30_500_050, "€305,001"), (30_500_049, "€305,000"), (-49, "€0"), (-50, "\u2212€1")]
)
def test_money_rounded_to_whole_units(minor: int, text: str) -> None:
    assert formats.money_whole(minor, "EUR") == text


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (950, "€950"),
        (999, "€999"),
        (1_499, "€1k"),
        (168_800, "€169k"),
        (999_499, "€999k"),
        (999_500, "€1M"),
        (1_105_725, "€1.11M"),
        (2_034_000, "€2.03M"),
        (999_995_000, "€1B"),
        (2_100_000_000, "€2.1B"),
    ],
)
def test_money_short(units: int, text: str) -> None:
    assert formats.money_short(units * 100, "EUR") == text


@given(st.decimals(-(10**12), 10**12, places=5), st.sampled_from(["en", "de", "fr", "nb", "hi"]))
def test_numbers_with_decimals_as_babel_writes_them(value: Decimal, language: str) -> None:
    with translation.override(language):
        written = format_decimal(value, locale=formats.locale_of(language)).replace("-", formats.MINUS)
        # Nothing is less than nothing.
        assert formats.number(value) == (written if round(value, 3) else "0")


@given(st.integers(0, 10**13), st.sampled_from(["EUR", "USD", "JPY", "CHF"]), st.sampled_from(["en", "de", "fr", "hi"]))
def test_money_as_babel_writes_it(units: int, currency: str, language: str) -> None:
    with translation.override(language):
        minor = units * 10 ** formats._money_pattern(language, currency).digits
        pattern = formats.locale_of(language).currency_formats["standard"].pattern.replace(".00", "")
        expected = format_currency(units, currency, pattern, locale=language, currency_digits=False)
        # Babel leaves out the space that CLDR puts between a currency's code and the digits.
        assert formats.money(minor, currency).replace("\xa0", "") == expected.replace("\xa0", "")


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (dt.date(2026, 11, 17), "17 Nov"),
        (dt.date(2026, 1, 3), "3 Jan"),
        (dt.date(2027, 2, 26), "26 Feb"),
        (dt.date(2027, 9, 1), "1 Sept 2027"),
        (dt.date(2024, 11, 17), "17 Nov 2024"),
        (dt.datetime(2026, 11, 18, 23, 30, tzinfo=dt.UTC), "19 Nov"),
        (None, ""),
    ],
)
def test_date_with_year_only_where_needed(day: dt.date | None, text: str) -> None:
    assert formats.date(day) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW - dt.timedelta(seconds=20), "just now"),
        (NOW - dt.timedelta(minutes=4), "4 min ago"),
        (NOW - dt.timedelta(hours=23), "23 h ago"),
        (NOW - dt.timedelta(hours=24), "18 Nov"),
        (NOW + dt.timedelta(minutes=90), "in 1 h"),
        (NOW + dt.timedelta(days=3), "22 Nov"),
    ],
)
def test_ago_relative_up_to_a_day(moment: dt.datetime, text: str) -> None:
    assert formats.ago(moment) == text


def test_moment_in_the_readers_zone() -> None:
    assert (formats.clock(NOW), formats.date_time(NOW), formats.iso(NOW)) == (
        "10:41",
        "19 Nov, 10:41",
        "2026-11-19T10:41:00+01:00",
    )
    assert formats.exact(NOW) == "19 November 2026, 10:41:00 CET"


@pytest.mark.parametrize(("days", "text"), [(0, "Today"), (1, "Yesterday"), (2, "Tuesday")])
def test_weekday_of_a_timeline(days: int, text: str) -> None:
    assert formats.weekday(NOW - dt.timedelta(days=days)) == text


@pytest.mark.parametrize(("name", "text"), [("Maya Okafor", "MO"), ("élise", "É"), ("Ana de la Cruz", "AD"), ("", "?")])
def test_initials(name: str, text: str) -> None:
    assert formats.initials(name) == text


def test_tone_same_in_every_process() -> None:
    # Written down, because Python's own hash differs from process to process.
    assert [formats.tone_for(name) for name in ("Halden Logistics", "Maya Okafor", 7)] == ["cyan", "red", "red"]
    assert {formats.tone_for(n) for n in range(500)} == set(formats.TONES)
