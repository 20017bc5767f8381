"""Money: integer minor units with an ISO 4217 code. No currency is ever added to another one as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel.core import get_global


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """How many digits the minor unit has: 2 for EUR, 0 for JPY, 3 for KWD."""
    fractions = get_global("currency_fractions")
    return int(fractions.get(currency, fractions["DEFAULT"])[0])


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that Babel knows."""
    return frozenset(get_global("all_currencies"))


def is_currency(code: str) -> bool:
    """Whether a code from outside names a currency."""
    return code in currencies()


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is worth in the base currency, and since when."""

    value: Decimal
    since: date


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over amounts in several currencies.

    `amount` is in minor units of `currency`, over everything that could be converted; `converted` holds the foreign
    currencies in it with the rate used; `apart` the sums, by currency, for which there is no rate.
    """

    currency: str
    amount: int
    converted: dict[str, Rate] = field(default_factory=dict)
    apart: dict[str, int] = field(default_factory=dict)


def convert(minor: int, currency: str, base: str, rate: Decimal) -> int:
    """Minor units of `currency` as minor units of `base`, rounded half up; `rate` is for one whole unit."""
    value = Decimal(minor) * rate * Decimal(10) ** (exponent(base) - exponent(currency))
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def total(amounts: Mapping[str, int], base: str, rates: Mapping[str, Rate]) -> Total:
    """The sum of amounts by currency (minor units), in the base currency where there is a rate."""
    amount, converted, apart = 0, {}, {}
    for currency, minor in sorted(amounts.items()):
        if currency == base:
            amount += minor
        elif not minor:
            continue
        elif currency in rates:
            amount += convert(minor, currency, base, rates[currency].value)
            converted[currency] = rates[currency]
        else:
            apart[currency] = minor
    return Total(base, amount, converted, apart)
