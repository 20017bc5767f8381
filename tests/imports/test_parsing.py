"""Cells as other CRMs write them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from contacts.imports import parsing


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        ("2026-01-31", False, date(2026, 1, 31)),
        ("2026-01-31 14:05", True, date(2026, 1, 31)),
        ("01/02/2026", False, date(2026, 1, 2)),
        ("01/02/2026", True, date(2026, 2, 1)),
        ("31.12.2025", True, date(2025, 12, 31)),
        ("Jan 5, 2026", False, date(2026, 1, 5)),
    ],
)
def test_parse_date(text, first, expected):
    assert parsing.parse_date(text, day_comes_first=first) == expected


def test_parse_datetime_without_a_zone_is_in_the_organisations():
    moment = parsing.parse_datetime("2026-07-01 12:00", day_comes_first=False, zone=ZoneInfo("Europe/Oslo"))
    assert moment == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["tomorrow-ish", "2026-13-01", "99/99/2026"])
def test_parse_date_that_is_none(text):
    with pytest.raises(ValueError, match="not a date"):
        parsing.parse_date(text, day_comes_first=False)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["01/02/2026", "13/02/2026"], True),
        (["01/02/2026", "02/28/2026"], False),
        (["1.2.2026"], True),
        (["2026-01-01"], None),
    ],
)
def test_day_first_is_told_by_the_column(values, expected):
    assert parsing.day_first(values) is expected


@pytest.mark.parametrize(
    ("text", "comma", "expected"),
    [
        ("1,234.50", False, "1234.50"),
        ("1.234,50 €", True, "1234.50"),
        ("$ (12)", False, "-12"),
        ("(12)", False, "-12"),
        ("-3,5", True, "-3.5"),
        ("1 200", False, "1200"),
        ("1.5e+06", False, "1.5e6"),
    ],
)
def test_parse_decimal(text, comma, expected):
    assert parsing.parse_decimal(text, comma=comma) == Decimal(expected)


@pytest.mark.parametrize(
    ("values", "delimiter", "expected"),
    [
        (["1,234.50"], ";", False),
        (["1.234,50"], ",", True),
        (["12,5"], ",", True),
        (["1.234.567"], ",", True),
        (["1,234,567"], ",", False),
        (["1234"], ";", True),
        (["12.5"], ";", False),
    ],
)
def test_decimal_comma_is_told_by_the_column(values, delimiter, expected):
    assert parsing.decimal_comma(values, delimiter=delimiter) is expected


def test_parse_money_refuses_decimals_that_the_currency_has_not():
    assert parsing.parse_money("1,234.50", digits=2, comma=False) == 123450
    assert parsing.parse_money("1234", digits=0, comma=False) == 1234
    with pytest.raises(ValueError, match="decimals"):
        parsing.parse_money("1.234", digits=2, comma=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Lind", ("Ada", "Lind")),
        ("Lind, Ada", ("Ada", "Lind")),
        ("Cher", ("", "Cher")),
        ("Ana van der Berg", ("Ana", "van der Berg")),
        ("", ("", "")),
    ],
)
def test_split_name(text, expected):
    assert parsing.split_name(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("State/Region *", "state region"), ("Société", "societe"), ("E-Mail - Work", "e mail work")]
)
def test_normal(text, expected):
    assert parsing.normal(text) == expected
