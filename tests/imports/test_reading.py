"""Files as they come: the right rows, or a clear message."""

import io

import pytest

from contacts.imports.reading import Dialect, RawRow, detect, read_header, read_rows
from crm.lib.errors import Invalid

HEADER = ["Name", "Note"]


def read(data: bytes):
    file = io.BytesIO(data)
    dialect = detect(file)
    header = read_header(file, dialect)
    return dialect, header, list(read_rows(file, dialect, len(header)))


@pytest.mark.parametrize(
    ("data", "dialect"),
    [
        ("Name,Note\nÉlan,ü\n".encode(), Dialect("utf-8-sig", ",")),
        ("Name,Note\nÉlan,ü\n".encode("utf-8-sig"), Dialect("utf-8-sig", ",")),
        ("Name;Note\nÉlan;ü\n".encode("latin-1"), Dialect("cp1252", ";")),
        ("Name\tNote\nÉlan\tü\n".encode("utf-16"), Dialect("utf-16", "\t")),
        ("Name,Note\nÉlan,ü\n".encode("utf-16-le"), Dialect("utf-16-le", ",")),
        ("Name,Note\nÉlan,ü\n".encode("utf-16-be"), Dialect("utf-16-be", ",")),
        ("Name|Note\r\nÉlan|ü\r\n".encode(), Dialect("utf-8-sig", "|")),
    ],
)
def test_read_in_any_encoding_and_delimiter(data, dialect):
    assert read(data) == (dialect, HEADER, [RawRow(2, ("Élan", "ü"))])


def test_read_quoted_newlines_keeps_one_row_and_its_line():
    data = b'Name,Note\n"Elan","one\ntwo, and ""three"""\nBora,x\n'
    assert read(data)[2] == [RawRow(2, ("Elan", 'one\ntwo, and "three"')), RawRow(4, ("Bora", "x"))]


def test_read_row_of_another_width_is_padded_or_refused():
    rows = read(b"Name,Note\nElan\nBora,x,y\nCor,x,\n\n")[2]
    assert [(row.line, row.cells, bool(row.error)) for row in rows] == [
        (2, ("Elan", ""), False),
        (3, ("Bora", "x"), True),
        (4, ("Cor", "x"), False),
    ]


def test_read_quote_that_never_closes_says_how_much_it_swallowed():
    rows = read(b'Name,Note\nElan,x\n"Bora,y\nCor,z\n')[2]
    assert rows[0] == RawRow(2, ("Elan", "x"))
    assert (rows[1].line, rows[1].cells) == (3, ())
    assert "2 lines" in rows[1].error


def test_read_broken_quotes_refuse_their_line_only():
    rows = read(b'Name,Note\n"El"an,x\nBora,y\n')[2]
    assert [(row.line, bool(row.error)) for row in rows] == [(2, True), (3, False)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xef\xbb\xbf",
        b" \r\n\r\n",
        b"PK\x03\x04xx",
        b"%PDF-1.7",
        b"<!DOCTYPE html><p>",
        b'{"a": 1}',
        b"\x00\x01\x02\x03\x04\x05",
        b",,,\n1,2,3,4\n",
    ],
)
def test_read_what_is_no_csv_is_refused_with_a_message(data):
    with pytest.raises(Invalid) as refused:
        read(data)
    assert len(refused.value.message) > 20


def test_read_three_hundred_columns():
    header = ",".join(f"c{n}" for n in range(300))
    _dialect, names, rows = read(f"{header}\n{header}\n".encode())
    assert (len(names), len(rows[0].cells)) == (300, 300)


def test_read_header_without_names_are_numbered():
    assert read(b"Name,,Note\n1,2,3\n")[1] == ["Name", "Column 2", "Note"]
