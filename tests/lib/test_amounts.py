"""Amounts as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.lib.amounts import parse_amount


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1200", 120_000),
        ("305,000.50", 30_500_050),
        ("305.000,50", 30_500_050),
        ("1 200", 120_000),
        ("1\u202f200,5", 120_050),
        ("1'200.5", 120_050),
        ("1.200", 120_000),
        ("1,234,567.8", 123_456_780),
        ("1,00,000", 10_000_000),
        ("12,5", 1_250),
        ("0.500", 50),
        (".5", 50),
        ("-5", -500),
        ("\u22125", -500),
        ("1.2500", 125),
    ],
)
def test_amount_of_two_decimals_read(text: str, minor: int) -> None:
    assert parse_amount(text, 2) == minor


@pytest.mark.parametrize(
    "text", ["", " ", ".", "-", "--5", "abc", "5 EUR", "1e5", "1,2,3", "1.5.2", "1234.567", "٣", "nan"]
)
def test_amount_that_is_none_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals"):
        parse_amount(text, 2)


@pytest.mark.parametrize(("text", "digits", "minor"), [("1.234", 3, 1234), ("1,234", 3, 1_234_000), ("1234", 0, 1234)])
def test_amount_of_other_currencies_read(text: str, digits: int, minor: int) -> None:
    assert parse_amount(text, digits) == minor


def test_amount_with_decimals_of_a_currency_without_refused() -> None:
    with pytest.raises(ValueError, match="0 decimals"):
        parse_amount("1.5", 0)


@given(st.integers(0, 10**12), st.integers(0, 99))
def test_amount_grouped_either_way_read_alike(units: int, cents: int) -> None:
    english = f"{units:,}.{cents:02d}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parse_amount(english, 2) == parse_amount(german, 2) == units * 100 + cents
