"""Phone numbers as they are stored: E.164 where they can be understood."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from babel.core import get_global

_WITH_EXTENSION = re.compile(r"(\+?[\d(][-\d\s()./]{4,})(?:x|ext\.?|;ext=|#)\s*\d{1,7}", re.IGNORECASE)
MAX = 40  # characters of a stored number


def normalize_phone(text: str, region: str) -> str:
    """A number in E.164 ("+31105550142"), an extension after it ("+31105550142 x12").

    `region` is the country that numbers without a country code belong to, such as "NL"; "" when it is not known.
    What can't be a phone number stays as it was written.
    """
    written = " ".join(text.split())
    try:
        number = phonenumbers.parse(written, region or None)
    except phonenumbers.NumberParseException:
        return written
    if not phonenumbers.is_possible_number(number):
        return written
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain} x{number.extension}" if number.extension else plain


@lru_cache(maxsize=4096)
def readable_phone(stored: str) -> str:
    """A stored number as people read it: "+31 10 555 0142"."""
    plain, _x, extension = stored.partition(" x")
    if not re.fullmatch(r"\+\d{4,15}", plain):
        return stored
    try:
        number = phonenumbers.parse(plain)
    except phonenumbers.NumberParseException:
        return stored
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"{shown} x{extension}" if extension else shown


def without_extension(text: str) -> str:
    """What somebody looks for, without the extension if it is a number with one: "+31 10 555 0142 x12"."""
    found = _WITH_EXTENSION.fullmatch(text.strip())
    return found[1].strip() if found else text


def dialled(stored: str) -> str:
    """A stored number as a tel: link takes it: digits and a plus, no extension; "" when it has no digit."""
    plain = re.sub(r"[^+0-9]", "", stored.partition(" x")[0])
    return plain if re.search(r"\d", plain) else ""


@lru_cache(maxsize=256)
def region_of(locale: str, time_zone: str) -> str:
    """The country an organisation most likely is in: by its time zone, else its language tag, else its language.

    "" when nothing says so. `locale` may be "".
    """
    territory = get_global("zone_territories").get(time_zone, "001")
    if territory != "001":  # the world, which zones such as UTC belong to
        return str(territory)
    language, _dash, country = locale.replace("_", "-").partition("-")
    if len(country) == 2:
        return country.upper()
    likely = get_global("likely_subtags").get(language.lower(), "")
    return likely.rpartition("_")[2] if "_" in likely else ""
