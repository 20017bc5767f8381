"""A file that somebody uploaded, as rows of text. Pure, and strict: no row is dropped without a word."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _

from crm.lib.errors import Invalid

SAMPLE = 256 * 1024  # bytes that the delimiter is chosen by
MAX_COLUMNS = 1000
MAX_CELL = 1_000_000  # characters
DELIMITERS = (",", ";", "\t", "|")
# What a person may choose when the guess is wrong, most likely first.
ENCODINGS = ("utf-8-sig", "cp1252", "utf-16", "iso-8859-15", "cp1250", "cp1251", "mac_roman", "shift_jis", "gb18030")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_FOREIGN = (
    (b"PK\x03\x04", "Excel"),
    (b"\xd0\xcf\x11\xe0", "Excel"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
)
_CONTROL = frozenset(range(32)) - {9, 10, 11, 12, 13, 27}

csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record of a file. `line` is where it begins (1 is the header); `error` says why it can't be read."""

    line: int
    cells: tuple[str, ...]
    error: str = ""


def detect(file: IO[bytes]) -> Dialect:
    """The encoding and delimiter of a file. Raises Invalid for what is empty or is no text."""
    file.seek(0)
    head = file.read(SAMPLE)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise Invalid(_("The file is empty. Export it again, and check that it has rows."))
    for magic, kind in _FOREIGN:
        if head.startswith(magic):
            raise Invalid(
                _("This is a file of type %(kind)s, not CSV. In a spreadsheet choose “Save as”, then CSV (UTF-8).")
                % {"kind": kind}
            )
    encoding = _encoding(file, head)
    text = head.decode(encoding, errors="ignore")
    _refuse_markup(text)
    return Dialect(encoding, _delimiter(text))


def _encoding(file: IO[bytes], head: bytes) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if wide := _wide(head):
        return wide
    if sum(byte in _CONTROL for byte in head[:4096]) > 2:
        raise Invalid(_("This is not a text file. Export the records as CSV and upload that file."))
    if _decodes(file, "utf-8"):
        return "utf-8-sig"
    return "cp1252" if _decodes(file, "cp1252") else "iso-8859-1"


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: in Western text every other byte is zero."""
    sample = head[:2000]
    if len(sample) < 4:
        return ""
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    if odd > len(sample) * 0.3 and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > len(sample) * 0.3 and odd == 0 else ""


def _decodes(file: IO[bytes], encoding: str) -> bool:
    file.seek(0)
    reader = io.TextIOWrapper(_Unclosed(file), encoding=encoding)  # type: ignore[type-var]
    try:
        while reader.read(1 << 20):
            pass
    except UnicodeDecodeError:
        return False
    return True


class _Unclosed(io.RawIOBase):
    """A file that a TextIOWrapper on top of it does not close."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        return self.file.read(size)

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)


def _refuse_markup(text: str) -> None:
    start = text.lstrip("\ufeff \r\n\t")[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "{", "[{")):
        raise Invalid(_("This is a web page or a data file, not CSV. Export the records as CSV and upload that file."))


def _delimiter(text: str) -> str:
    """The delimiter whose rows have the most columns alike."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        rows = []
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            for row in reader:
                if row:
                    rows.append(len(row))
                if len(rows) == 50:
                    break
        except csv.Error:
            continue
        if not rows or rows[0] < 2:
            continue
        score = rows[0] * sum(width == rows[0] for width in rows) / len(rows)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def read_header(file: IO[bytes], dialect: Dialect) -> list[str]:
    """The names of the columns; one without a name is called by its number. Raises Invalid when there are none."""
    first = next(_records(file, dialect), None)
    if first is None or first.error or not any(cell.strip() for cell in first.cells):
        raise Invalid(_("The first line has no column names. Export the file again with a header line."))
    if len(first.cells) > MAX_COLUMNS:
        raise Invalid(
            _("The file has %(n)d columns; at most %(max)d are read.") % {"n": len(first.cells), "max": MAX_COLUMNS}
        )
    return [cell.strip() or _("Column %(n)d") % {"n": n} for n, cell in enumerate(first.cells, 1)]


def read_rows(file: IO[bytes], dialect: Dialect, width: int) -> Iterator[RawRow]:
    """The data rows, each with `width` cells. Blank lines are no rows; a row that can't be read carries its error."""
    records = _records(file, dialect)
    next(records, None)
    for row in records:
        if row.error:
            yield row
            continue
        cells = row.cells + ("",) * (width - len(row.cells))
        if any(cell.strip() for cell in cells[width:]):
            extra = _(
                "This row has %(n)d cells, the header has %(width)d. A comma inside a value needs quotes around it."
            )
            yield RawRow(row.line, cells[:width], extra % {"n": len(row.cells), "width": width})
            continue
        yield RawRow(row.line, cells[:width])


def _records(file: IO[bytes], dialect: Dialect) -> Iterator[RawRow]:
    file.seek(0)
    text = io.TextIOWrapper(_Unclosed(file), encoding=dialect.encoding, errors="replace", newline="")  # type: ignore[type-var]
    reader = csv.reader((line.replace("\x00", "") for line in text), delimiter=dialect.delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines = reader.line_num - line
            if lines > 0:
                reason = _("A quote opens here and is not closed properly; %(n)d lines were swallowed.") % {
                    "n": lines + 1
                }
            else:
                reason = _("The quotes of this line are broken. Inside a quoted value a quote is written twice.")
            yield RawRow(line, (), reason)
            continue
        if cells:
            yield RawRow(line, tuple(cells))
