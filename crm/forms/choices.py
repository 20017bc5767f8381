"""Choices that several forms offer."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from babel.core import get_global
from django.conf import settings
from django.utils import translation
from django.utils.dates import MONTHS

from crm.web.formats import locale_of


@lru_cache(maxsize=1)
def zones() -> list[tuple[str, str]]:
    """Time zones by their names, such as "Europe/Berlin"."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [(name, name.replace("_", " ")) for name in ["UTC", *places]]


def currencies() -> list[tuple[str, str]]:
    """The currencies that are money somewhere today, as "EUR · Euro"."""
    names = locale_of(translation.get_language() or "en").currencies
    return [(code, f"{code} · {names[code]}" if code in names else code) for code in sorted(_legal_tender())]


@lru_cache(maxsize=1)
def _legal_tender() -> frozenset[str]:
    """Codes that some territory uses now. Babel's rows are (currency, from, until, whether it is legal tender)."""
    territories = get_global("territory_currencies")
    return frozenset(row[0] for rows in territories.values() for row in rows if row[2] is None and row[3])


def months() -> list[tuple[str, str]]:
    """The months of a year, "1" to "12"."""
    return [(str(number), str(name)) for number, name in MONTHS.items()]


def languages() -> list[tuple[str, str]]:
    """The languages this server speaks, each by its own name."""
    return list(settings.LANGUAGES)
