"""Reads amounts of money as people and other programs write them."""

import re
from decimal import Decimal

_SPACES = str.maketrans(
    "", "", " \t\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}'\N{RIGHT SINGLE QUOTATION MARK}"
)
# Whole units: plain digits, or groups of three (of two before the last in India) with one kind of separator.
_WHOLE = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}|[0-9]{1,3}(?:\.[0-9]{2,3})*\.[0-9]{3}")
_DECIMALS = re.compile(r"[0-9]*")


def parse_amount(text: str, digits: int = 2) -> int:
    """Read an amount into minor units, `digits` of them to the unit's decimals (crm.lib.money.exponent).

    "305,000.50", "305.000,50", "1 200" and "-5" are read; a single separator before exactly three digits groups
    thousands ("1.200" is 1200). Raises ValueError for what is no number or has more decimals than the currency.
    """
    compact = text.translate(_SPACES).replace("\N{MINUS SIGN}", "-")
    sign, number = (-1, compact[1:]) if compact.startswith("-") else (1, compact)
    point = _decimal_point(number, digits)
    whole, decimals = (number, "") if point < 0 else (number[:point], number[point + 1 :].rstrip("0"))
    if not re.search("[0-9]", number) or not _WHOLE.fullmatch(whole or "0") or not _DECIMALS.fullmatch(decimals):
        raise ValueError(f"{text!r} is no amount")
    if len(decimals) > digits:
        raise ValueError(f"{text!r} has more than {digits} decimals")
    plain = re.sub(r"[.,]", "", whole) or "0"
    return sign * int(Decimal(f"{plain}.{decimals or 0}").scaleb(digits))


def _decimal_point(number: str, digits: int) -> int:
    """Index of the separator that begins the decimals; -1 when all of them group thousands."""
    last = max(number.rfind(","), number.rfind("."))
    if last < 0 or number.count(number[last]) > 1:
        return -1
    if "," in number and "." in number:
        return last
    if len(number) - last - 1 != 3 or (digits == 3 and number[last] == "."):
        return last
    # Three digits follow: thousands, unless what stands before cannot be a group ("0.500", "1234.567").
    before = number[:last]
    return -1 if 1 <= len(before) <= 3 and before != "0" else last
