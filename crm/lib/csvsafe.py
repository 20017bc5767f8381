"""CSV that is harmless in a spreadsheet."""

import re

# A spreadsheet runs a cell that begins with one of these as a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PHONE_OR_NUMBER = re.compile(r"[+-][\d\s().,/-]*")


def safe_cell(text: str) -> str:
    """The text, led by an apostrophe where a spreadsheet would run it. Phones and signed numbers stay as they are."""
    if text.startswith(_FORMULA) and not _PHONE_OR_NUMBER.fullmatch(text):
        return "'" + text
    return text
