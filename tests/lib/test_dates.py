"""Quarters of a fiscal year."""

from __future__ import annotations

from datetime import date

import pytest

from crm.lib.dates import Quarter, quarter_of


@pytest.mark.parametrize(
    ("today", "first_month", "begins", "ends", "days"),
    [
        (date(2026, 11, 19), 1, date(2026, 10, 1), date(2027, 1, 1), 43),
        (date(2026, 1, 1), 1, date(2026, 1, 1), date(2026, 4, 1), 90),
        (date(2026, 12, 31), 1, date(2026, 10, 1), date(2027, 1, 1), 1),
        (date(2026, 1, 31), 2, date(2025, 11, 1), date(2026, 2, 1), 1),
        (date(2026, 2, 1), 2, date(2026, 2, 1), date(2026, 5, 1), 89),
        (date(2026, 1, 15), 12, date(2025, 12, 1), date(2026, 3, 1), 45),
        (date(2026, 3, 31), 4, date(2026, 1, 1), date(2026, 4, 1), 1),
    ],
)
def test_quarter_of_a_day(today: date, first_month: int, begins: date, ends: date, days: int):
    assert quarter_of(today, first_month) == Quarter(begins, ends, days)
