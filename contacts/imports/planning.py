"""From a file and a mapping to understood rows, open questions and a preview."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from contacts.imports import parsing, reading
from contacts.imports.pointing import found_records, same_name
from contacts.imports.reading import Dialect, RawRow
from contacts.imports.targets import ImportField, Parsed, Question, Result, Settings, Target
from contacts.models.importing import ImportJob
from crm import queries
from crm.lib.money import exponent, is_currency
from crm.models import Membership, Organization
from crm.tenancy.context import Actor

PREVIEW = 20
DISTINCT = 200  # values of one column that are asked about
AMOUNTS = ("money", "decimal")  # kinds that are written with a point or a comma
ME = "me"


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a file found: how many rows, and the distinct values of the columns that may raise
    questions or have habits."""

    total: int
    distinct: dict[str, list[str]]


def open_file(job: ImportJob) -> IO[bytes]:
    """The uploaded file of an import."""
    return default_storage.open(job.stored_as, "rb")


def dialect_of(job: ImportJob) -> Dialect:
    """How an import's file is written."""
    return Dialect(job.encoding, job.delimiter)


def rows_of(job: ImportJob, file: IO[bytes]) -> Iterator[RawRow]:
    """The data rows of an import's file."""
    return reading.read_rows(file, dialect_of(job), len(job.header))


def mapping_of(job: ImportJob) -> dict[int, str]:
    """The field that each column fills."""
    return {int(number): key for number, key in job.mapping.items() if key}


def survey(job: ImportJob, target: Target) -> Survey:
    """Reads the whole file once."""
    columns = columns_of(job, target)
    watched = {n: f for n, f in columns.items() if f.ask or f.kind in ("date", "datetime", *AMOUNTS)}
    seen: dict[str, dict[str, None]] = {f.key: {} for f in watched.values()}
    total = 0
    with open_file(job) as file:
        for row in rows_of(job, file):
            total += 1
            for number, field in watched.items():
                value = row.cells[number].strip() if row.cells else ""
                values = seen[field.key]
                if value and len(values) < DISTINCT:
                    values[value] = None
    return Survey(total, {key: list(values) for key, values in seen.items()})


def settings_for(job: ImportJob, actor: Actor) -> Settings:
    """How the cells of an import are read, and what its rows need to know."""
    organization = Organization.objects.get(pk=actor.org_id)
    owners: dict[str, UUID] = {}
    named: dict[str, set[UUID]] = defaultdict(set)
    people = Membership.objects.filter(active=True).select_related("user")
    for member in people:
        owners.setdefault(parsing.normal(member.name), member.id)
        owners[member.user.email] = member.id
        for text in (member.name, member.user.email):
            named[same_name(text)].add(member.id)
    return Settings(
        source=job.source,
        zone=ZoneInfo(organization.time_zone),
        base_currency=organization.base_currency,
        currency=job.options.get("currency") or organization.base_currency,
        answers=job.answers,
        day_first=bool(job.options.get("day_first")),
        decimal_comma=bool(job.options.get("decimal_comma")),
        owners=owners,
        members=named,
    )


def habits(found: Survey, target: Target, delimiter: str) -> dict[str, bool]:
    """How the file writes dates and amounts, as far as its values tell."""
    kinds = {field.key: field.kind for field in target.fields}
    days = [parsing.day_first(values) for key, values in found.distinct.items() if kinds[key] in ("date", "datetime")]
    amounts = [value for key, values in found.distinct.items() if kinds[key] in AMOUNTS for value in values]
    return {
        "day_first": any(day for day in days if day is not None),
        "decimal_comma": parsing.decimal_comma(amounts, delimiter=delimiter) if amounts else False,
    }


def open_questions(found: Survey, target: Target, settings: Settings, actor: Actor) -> list[Question]:
    """What the file says that means nothing here: owners, currencies, and the target's own, each value once."""
    questions = []
    owners = [value for value in found.distinct.get("owner", ()) if owner_of(value, settings) is None]
    if owners:
        members = tuple((str(pk), name) for pk, name in queries.members())
        questions.append(
            Question("owner", _("Owners"), tuple(owners), ((ME, _("Me")), *members), dict.fromkeys(owners, ME))
        )
    currencies = [value for value in found.distinct.get("currency", ()) if not is_currency(value.strip().upper())]
    if currencies:
        codes = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "CAD", "AUD", "INR", "BRL")
        options = tuple((code, code) for code in dict.fromkeys((settings.base_currency, *codes)))
        suggested = {value: parsing.currency_in(value) or settings.base_currency for value in currencies}
        questions.append(Question("currency", _("Currencies"), tuple(currencies), options, suggested))
    return questions + target.questions(found.distinct, settings, actor)


def questions_of(job: ImportJob, target: Target, actor: Actor) -> list[Question]:
    """The open questions of an import, from the whole file."""
    settings = settings_for(job, actor)
    target.prepare(settings, actor)
    return open_questions(survey(job, target), target, settings, actor)


def owner_of(value: str, settings: Settings) -> UUID | None:
    """The member that a file's owner stands for, by e-mail address or name."""
    return settings.owners.get(value.strip().lower()) or settings.owners.get(parsing.normal(value))


def understand(
    row: RawRow, columns: dict[int, ImportField], header: Sequence[str], settings: Settings, target: Target
) -> Parsed:
    """One row, by the mapping. A cell that can't be understood refuses its row, naming the column."""
    parsed = Parsed(row.line)
    if row.error:
        parsed.error = row.error
        return parsed
    if not any(cell.strip() for cell in row.cells):
        parsed.skip = _("The row is empty.")
        return parsed
    currency = _row_currency(row, columns, settings)
    for number, field in columns.items():
        text = row.cells[number].strip()
        if not text:
            continue
        try:
            value = _value(text, field, settings, currency)
        except ValueError as error:
            # What is kept encrypted is not quoted: reasons stand in the report as they are.
            reason = _("The value can't be understood.") if field.sealed else error
            parsed.error = f"{header[number]}: {reason}"
            return parsed
        if field.kind == "many":
            parsed.values.setdefault(field.key, []).append((value, header[number]))
        else:
            parsed.values[field.key] = value
    parsed.values["currency"] = currency
    target.check(parsed, settings)
    return parsed


def _row_currency(row: RawRow, columns: dict[int, ImportField], settings: Settings) -> str:
    for number, field in columns.items():
        text = row.cells[number].strip()
        if field.kind == "currency" and text:
            return settings.answers.get("currency", {}).get(text) or text.upper()
    for number, field in columns.items():
        if field.kind == "money" and (written := parsing.currency_in(row.cells[number])) and is_currency(written):
            return written
    return settings.currency


def _value(text: str, field: ImportField, settings: Settings, currency: str) -> Any:
    """A cell's value by its field's kind. Raises ValueError."""
    readers: dict[str, Callable[[], Any]] = {
        "date": lambda: parsing.parse_date(text, day_comes_first=settings.day_first),
        "datetime": lambda: parsing.parse_datetime(text, day_comes_first=settings.day_first, zone=settings.zone),
        "money": lambda: _money(text, field, settings, currency),
        "decimal": lambda: parsing.parse_decimal(text, comma=settings.decimal_comma),
        "number": lambda: int(parsing.parse_decimal(text, comma=settings.decimal_comma)),
        "bool": lambda: parsing.parse_bool(text),
        "choice": lambda: _choice(text, field, settings),
        "choices": lambda: _choices(text, field, settings),
        "currency": lambda: _currency(text, currency),
        "owner": lambda: _owner(text, settings),
        "member": lambda: _member(text, settings),
        "record": lambda: _record(text, field, settings),
    }
    reader = readers.get(field.kind)
    if reader is not None:
        return reader()
    if field.longest and len(text) > field.longest:
        raise ValueError(_("longer than %(max)d characters.") % {"max": field.longest})
    return text


def _money(text: str, field: ImportField, settings: Settings, currency: str) -> Any:
    amount = parsing.parse_money(text, digits=exponent(currency), comma=settings.decimal_comma)
    return {"amount": amount, "currency": currency} if field.with_currency else amount


def _currency(text: str, currency: str) -> str:
    if not is_currency(currency):
        raise ValueError(_("“%(text)s” is not a currency.") % {"text": text})
    return currency


def _owner(text: str, settings: Settings) -> UUID | str:
    known = owner_of(text, settings)
    if known:
        return known
    answer = settings.answers.get("owner", {}).get(text, "")
    if not answer:
        raise ValueError(_("“%(text)s” is nobody here.") % {"text": text})
    return ME if answer == ME else UUID(answer)


def _choice(text: str, field: ImportField, settings: Settings) -> str:
    answer = settings.answers.get(field.key, {}).get(text)
    if answer:
        return answer
    # What people read comes before the value behind it, which keeps an older name for good; and what is written just so
    # before what is alike.
    for place in (1, 0):
        for alike in (str, parsing.normal):
            for option in field.choices:
                if alike(str(option[place])) == alike(text):
                    return option[0]
    choices = ", ".join(str(label) for _value, label in field.choices)
    raise ValueError(_("“%(text)s” is not one of: %(choices)s.") % {"text": text, "choices": choices})


def _choices(text: str, field: ImportField, settings: Settings) -> list[str]:
    """Several choices in one cell, separated by semicolons; or one whose name has such."""
    if any(str(label) == text for _value, label in field.choices):
        return [_choice(text, field, settings)]
    return [_choice(part.strip(), field, settings) for part in text.split(";") if part.strip()]


def _member(text: str, settings: Settings) -> UUID:
    found = settings.members.get(same_name(text), set())
    if len(found) > 1:
        raise ValueError(_("“%(text)s” could be several members. Write their e-mail address.") % {"text": text})
    if not found:
        raise ValueError(_("“%(text)s” is nobody here.") % {"text": text})
    return next(iter(found))


def _record(text: str, field: ImportField, settings: Settings) -> UUID:
    found = settings.pointed[field.key][text]
    if isinstance(found, str):
        raise ValueError(found)
    return found


def columns_of(job: ImportJob, target: Target) -> dict[int, ImportField]:
    """The mapped columns as fields, but for those of fields that an admin has deleted or closed meanwhile."""
    known = {field.key: field for field in target.fields}
    return {number: known[key] for number, key in sorted(mapping_of(job).items()) if key in known}


def parse_rows(
    job: ImportJob, rows: Sequence[RawRow], target: Target, settings: Settings, acting: Actor
) -> list[Parsed]:
    """Rows, understood."""
    columns = columns_of(job, target)
    settings.pointed = {
        field.key: found_records(_texts(rows, number), field, acting)
        for number, field in columns.items()
        if field.kind == "record"
    }
    return [understand(row, columns, job.header, settings, target) for row in rows]


def _texts(rows: Iterable[RawRow], number: int) -> set[str]:
    return {text for row in rows if row.cells and (text := row.cells[number].strip())}


def first_rows(job: ImportJob) -> list[RawRow]:
    """The rows that the preview shows."""
    with open_file(job) as file:
        return list(islice(rows_of(job, file), PREVIEW))


def results(parsed: Sequence[Parsed], decide: Any) -> list[Result]:
    """A result per row: those that could not be understood keep their reason, `decide` answers for the others."""
    good = [row for row in parsed if not row.error and not row.skip]
    decided = iter(decide(good) if good else [])
    return [
        Result("failed", row.error) if row.error else Result("skipped", row.skip) if row.skip else next(decided)
        for row in parsed
    ]
