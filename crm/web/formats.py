"""How values look on a page: money, dates, numbers, initials, tones. Template filters live here.

Babel knows the locales but takes tens of microseconds a call; a board shows hundreds of amounts and dates. So the
pattern of a locale is read once and the common cases are put together by hand.
"""

import datetime as dt
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton, format_time, get_timezone_name
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from crm.web.pagination import Count

TONES = ("blue", "cyan", "teal", "green", "amber", "orange", "red", "pink", "violet", "gray")
MINUS = "\N{MINUS SIGN}"
# A date without a year is taken for the nearest one; further away than this it would be misread.
_YEAR_NEEDED_AFTER = dt.timedelta(days=180)


def locale_of(language: str) -> Locale:
    """Babel's locale for a Django language code; English when Babel does not know it."""
    try:
        return Locale.parse(translation.to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@lru_cache(maxsize=64)
def _date_locale(language: str) -> Locale:
    # Plain "en" says nothing about day order; the design writes "17 Nov" and a 24-hour clock.
    return locale_of("en-gb" if language == "en" else language)


def _language() -> str:
    return translation.get_language() or "en"


# ---------------------------------------------------------------- numbers and money


@dataclass(frozen=True, slots=True)
class _MoneyPattern:
    before: str
    after: str
    group: str
    point: str
    digits: int
    simple: bool  # groups of three, so Python's own grouping can be used

    def join(self, whole: str) -> str:
        return f"{self.before}{whole}{self.after}"


@lru_cache(maxsize=512)
def _money_pattern(language: str, currency: str) -> _MoneyPattern:
    locale = locale_of(language)
    pattern = locale.currency_formats["standard"]
    symbol = get_currency_symbol(currency, locale)
    before = pattern.prefix[0].replace("¤", symbol)
    return _MoneyPattern(
        # A code stands apart from the digits ("CHF 1,200"), a sign does not ("€1,200").
        before=before + "\N{NO-BREAK SPACE}" if before[-1:].isalpha() else before,
        after=pattern.suffix[0].replace("¤", symbol),
        group=locale.number_symbols["latn"]["group"],
        point=locale.number_symbols["latn"]["decimal"],
        digits=get_currency_precision(currency),
        simple=tuple(pattern.grouping) == (3, 3),
    )


def _grouped(whole: int, pattern: _MoneyPattern, language: str) -> str:
    if not pattern.simple:
        return format_decimal(whole, locale=locale_of(language), decimal_quantization=False)
    return f"{whole:,}".replace(",", pattern.group)


def money(minor: int | None, currency: str) -> str:
    """Format minor units exactly: "€1,234" when whole, else "€1,234.50". None gives an empty text."""
    if minor is None:
        return ""
    language = _language()
    pattern = _money_pattern(language, currency)
    whole, rest = divmod(abs(minor), 10**pattern.digits)
    text = _grouped(whole, pattern, language)
    if rest:
        text += f"{pattern.point}{rest:0{pattern.digits}d}"
    return (MINUS if minor < 0 else "") + pattern.join(text)


def money_whole(minor: int | None, currency: str) -> str:
    """Format minor units rounded to whole units, for cards and sums; give the exact amount in a title beside it."""
    if minor is None:
        return ""
    language = _language()
    pattern = _money_pattern(language, currency)
    unit = 10**pattern.digits
    whole = (abs(minor) + unit // 2) // unit
    return (MINUS if minor < 0 and whole else "") + pattern.join(_grouped(whole, pattern, language))


def money_writer(currency: str) -> Callable[[int | None], tuple[str, str]]:
    """Return a function that formats many amounts of one currency: (rounded to whole units, exact)."""
    language = _language()
    pattern = _money_pattern(language, currency)
    unit = 10**pattern.digits

    def write(minor: int | None) -> tuple[str, str]:
        if minor is None or minor < 0 or minor % unit or not pattern.simple:
            return money_whole(minor, currency), money(minor, currency)
        text = pattern.join(f"{minor // unit:,}".replace(",", pattern.group))
        return text, text

    return write


def money_short(minor: int | None, currency: str) -> str:
    """Format minor units for a summary: "€950", "€169k", "€1.24M", "€2.1B"."""
    if minor is None:
        return ""
    pattern = _money_pattern(_language(), currency)
    value = Decimal(abs(minor)) / 10**pattern.digits
    text = _short(value, pattern.point)
    return (MINUS if minor < 0 else "") + pattern.join(text)


def _short(value: Decimal, point: str) -> str:
    # The steps lie half a digit below the round number: 999,600 is "1M", never "1000k".
    for above, divisor, places, letter in (
        (Decimal("999.995e6"), Decimal("1e9"), "0.01", "B"),
        (Decimal("999.5e3"), Decimal("1e6"), "0.01", "M"),
        (Decimal("999.5"), Decimal("1e3"), "1", "k"),
    ):
        if value >= above:
            scaled = (value / divisor).quantize(Decimal(places), ROUND_HALF_UP)
            text = f"{scaled:f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", point) + letter
    return f"{value.quantize(Decimal(1), ROUND_HALF_UP):f}"


def number(value: float | Decimal | None) -> str:
    """Group the digits of a number as the reader's language does, with three decimals at most: 12,480.5."""
    if value is None:
        return ""
    language = _language()
    pattern = _money_pattern(language, "EUR")
    if isinstance(value, int):
        return (MINUS if value < 0 else "") + _grouped(abs(value), pattern, language)
    # A list has hundreds of them, and Babel takes a tenth of a millisecond for each.
    whole, _point, rest = f"{abs(Decimal(str(value))):.3f}".partition(".")
    rest = rest.rstrip("0")
    text = _grouped(int(whole), pattern, language) + (pattern.point + rest if rest else "")
    return MINUS + text if value < 0 and (rest or int(whole)) else text


def how_many(found: Count) -> str:
    """A count as text: "9,812", "≈48,000" for an estimate, "10,000+" where there is none."""
    return ("≈" if found.estimated else "") + number(found.number) + ("" if found.exact or found.estimated else "+")


def currency_symbol(currency: str) -> str:
    """Symbol of a currency in the reader's language: "€", "US$", "CHF"."""
    return get_currency_symbol(currency, locale_of(_language()))


# ---------------------------------------------------------------- dates


def _local(value: dt.datetime) -> dt.datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def _as_date(value: dt.date | dt.datetime) -> dt.date:
    return _local(value).date() if isinstance(value, dt.datetime) else value


@lru_cache(maxsize=4096)
def _day(value: dt.date, language: str, *, year: bool) -> str:
    locale = _date_locale(language)
    skeleton = "yMMMd" if year else "MMMd"
    if skeleton in locale.datetime_skeletons:
        return format_skeleton(skeleton, value, locale=locale)
    return format_date(value, "medium", locale=locale)


@lru_cache(maxsize=4096)
def _long_day(value: dt.date, language: str) -> str:
    return format_date(value, "long", locale=_date_locale(language))


@lru_cache(maxsize=64)
def _long_patterns(language: str) -> tuple[str, str]:
    """How a locale joins day and time ("{1}, {0}"), and how it writes the time with its zone."""
    locale = _date_locale(language)
    return str(locale.datetime_formats["long"]).replace("'", ""), locale.time_formats["long"].pattern


@lru_cache(maxsize=64)
def _is_24_hours(language: str) -> bool:
    return _date_locale(language).time_formats["short"].pattern == "HH:mm"


def _clock(local: dt.datetime, language: str) -> str:
    if _is_24_hours(language):
        return f"{local.hour:02}:{local.minute:02}"
    return format_time(local, "short", locale=_date_locale(language))


class Reader:
    """Who reads, and when: language, zone and moment, looked up once for the many values of a list."""

    __slots__ = ("_around", "_now", "_short", "_today", "_zones", "language", "zone")

    def __init__(self, now: dt.datetime | None = None) -> None:
        self.language = _language()
        self.zone = timezone.get_current_timezone()
        self._now = now
        self._today: dt.date | None = None
        # By day: how it is written, and what stands around the time of one of its moments; by offset: the zone's name.
        self._short: dict[dt.date, str] = {}
        self._around: dict[dt.date, tuple[str, str]] = {}
        self._zones: dict[tuple[Any, Any], str] = {}

    @property
    def now(self) -> dt.datetime:
        """The moment; the same for everything this reader is shown."""
        if self._now is None:
            self._now = timezone.now()
        return self._now

    @property
    def today(self) -> dt.date:
        """The reader's day."""
        if self._today is None:
            self._today = self.now.astimezone(self.zone).date()
        return self._today

    def local(self, value: dt.datetime) -> dt.datetime:
        """The moment in the reader's zone; one without a zone is taken as it is."""
        return value.astimezone(self.zone) if value.tzinfo is not None else value

    def date(self, value: dt.date | dt.datetime) -> str:
        """See `date`."""
        day = self.local(value).date() if isinstance(value, dt.datetime) else value
        text = self._short.get(day)
        if text is None:
            near = day.year == self.today.year or abs(day - self.today) < _YEAR_NEEDED_AFTER
            text = self._short[day] = _day(day, self.language, year=not near)
        return text

    def exact(self, value: dt.date | dt.datetime) -> str:
        """See `exact`."""
        if not isinstance(value, dt.datetime):
            return _long_day(value, self.language)
        local = self.local(value)
        both, seconds = _long_patterns(self.language)
        if seconds != "HH:mm:ss z":
            # It has been moved to the reader's zone already; Babel would move it again without `tzinfo`.
            return format_datetime(local, "long", tzinfo=local.tzinfo, locale=_date_locale(self.language))
        day, offset = local.date(), (local.utcoffset(), local.dst())
        if day not in self._around:
            before, _time, after = both.replace("{1}", _long_day(day, self.language)).partition("{0}")
            self._around[day] = before, after
        if offset not in self._zones:
            self._zones[offset] = get_timezone_name(local, "short", locale=_date_locale(self.language))
        before, after = self._around[day]
        return f"{before}{local.hour:02}:{local.minute:02}:{local.second:02} {self._zones[offset]}{after}"

    def ago(self, value: dt.datetime) -> str:
        """See `ago`."""
        seconds = (self.now - value).total_seconds()
        past, minutes = seconds >= 0, int(abs(seconds) // 60)
        if minutes < 1:
            return gettext("just now") if past else gettext("in a moment")
        if minutes < 60:
            text = (
                ngettext("%d min ago", "%d min ago", minutes) if past else ngettext("in %d min", "in %d min", minutes)
            )
            return text % minutes
        hours = minutes // 60
        if hours < 24:
            return (ngettext("%d h ago", "%d h ago", hours) if past else ngettext("in %d h", "in %d h", hours)) % hours
        return self.date(value)


def date(value: dt.date | dt.datetime | None) -> str:
    """Format a day in the reader's zone: "17 Nov", with the year where it would be ambiguous. None gives ""."""
    return "" if value is None else Reader().date(value)


def date_full(value: dt.date | dt.datetime | None) -> str:
    """Format a day with its year: "17 Nov 2026"."""
    return "" if value is None else _day(_as_date(value), _language(), year=True)


def weekday(value: dt.date | dt.datetime | None) -> str:
    """Format a day of a timeline: "Today", "Yesterday", else the weekday's name."""
    if value is None:
        return ""
    day, today = _as_date(value), timezone.localdate()
    if day == today:
        return gettext("Today")
    if day == today - dt.timedelta(days=1):
        return gettext("Yesterday")
    return _weekday(day.weekday(), _language())


@lru_cache(maxsize=128)
def _weekday(number: int, language: str) -> str:
    monday = dt.date(2024, 1, 1)
    return format_date(monday + dt.timedelta(days=number), "EEEE", locale=_date_locale(language))


def day_long(value: dt.date | dt.datetime | None) -> str:
    """Format a day in words, without its year: "Thursday 19 November"."""
    if value is None:
        return ""
    locale = _date_locale(_language())
    if "MMMMEEEEd" in locale.datetime_skeletons:
        return format_skeleton("MMMMEEEEd", _as_date(value), locale=locale)
    return format_date(_as_date(value), "full", locale=locale)


def clock(value: dt.datetime | None) -> str:
    """Format the time of day in the reader's zone: "09:20"."""
    return "" if value is None else _clock(_local(value), _language())


def date_time(value: dt.datetime | None) -> str:
    """Format a moment in the reader's zone: "17 Nov, 09:20"."""
    return "" if value is None else f"{date(value)}, {clock(value)}"


def exact(value: dt.date | dt.datetime | None) -> str:
    """Format a day or moment without loss, for titles: "19 November 2026, 09:41:07 CET"."""
    return "" if value is None else Reader().exact(value)


def iso(value: dt.date | dt.datetime | None) -> str:
    """Format for a `datetime` attribute."""
    if value is None:
        return ""
    return _local(value).isoformat(timespec="seconds") if isinstance(value, dt.datetime) else value.isoformat()


def ago(value: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """Format a moment relative to now up to a day ("4 min ago", "in 2 h"), then as a date."""
    return "" if value is None else Reader(now).ago(value)


# ---------------------------------------------------------------- people and colours


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """First letters of the first two words, in capitals; "?" for an empty name."""
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


@lru_cache(maxsize=65536)
def tone_for(key: Any) -> str:
    """One of the ten tones, always the same for the same key (an id or a name), in every process."""
    return TONES[zlib.crc32(str(key).encode()) % len(TONES)]


FILTERS: dict[str, Callable[..., str]] = {
    "money": money,
    "money_whole": money_whole,
    "money_short": money_short,
    "number": number,
    "how_many": how_many,
    "date": date,
    "date_full": date_full,
    "weekday": weekday,
    "day_long": day_long,
    "clock": clock,
    "datetime": date_time,
    "exact": exact,
    "iso": iso,
    "ago": ago,
    "initials": initials,
    "tone_for": tone_for,
}
