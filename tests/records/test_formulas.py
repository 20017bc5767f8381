"""Formulas of an organisation's own fields."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from decimal import Decimal

import pytest

from crm.lib.errors import Invalid
from crm.records import formulas


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("round(amount * probability / 100, 2)", {"amount": 1250.55, "probability": 40}, Decimal("500.22")),
        ("upper(city) + ', ' + country", {"city": "Oslo", "country": "NO"}, "OSLO, NO"),
        ("'big' if a > 1000 else 'small'", {"a": 1000}, "small"),
        ("a / 0", {"a": 1}, None),
        ("a + 1", {}, None),
        ("coalesce(a, 0) + 1", {}, Decimal(1)),
        ("concat(a, '/', b)", {"a": "x"}, "x/"),
        ("days(a, b)", {"a": "2026-01-01", "b": dt.date(2026, 3, 1)}, Decimal(59)),
        ("a * 'x'", {"a": 10**9}, None),
        ("not a or b", {"a": True, "b": True}, True),
        ("1 < a < 5", {"a": 3}, True),
        ("0.1 + 0.2 == a", {"a": Decimal("0.3")}, True),
        ("len(left(a, 3)) + floor(2.7)", {"a": "abcdef"}, Decimal(5)),
    ],
)
def test_formulas(text, values, expected):
    assert formulas.result_of(text, values) == expected


@pytest.mark.parametrize(
    ("text", "values", "kind", "expected"),
    [
        ("a + 1", {"a": 2}, "number", Decimal(3)),
        ("a + 1", {"a": "2"}, "number", None),
        ("a", {"a": True}, "number", None),
        ("a > 1", {"a": 2}, "checkbox", True),
        ("a", {"a": 2}, "checkbox", None),
        ("a", {"a": Decimal("2.50")}, "text", "2.5"),
        ("concat(a, a)", {"a": "x" * 1500}, "text", "x" * 2000),
        ("a % 2", {"a": 5}, "percent", Decimal(1)),
        ("a % 2", {"a": "%0999999999d"}, "text", None),
        ("a % a", {"a": "%s"}, "text", None),
    ],
)
def test_a_result_is_what_the_field_says_comes_out(text, values, kind, expected):
    assert formulas.result_of(text, values, kind) == expected


@pytest.mark.parametrize(
    "text",
    [
        "replace(a, '', b)", "replace(a, 'x', b)", "replace(replace(a, 'x', b), 'y', b)", f"concat({', '.join(['a'] * 90)})",
        " + ".join(["a"] * 40), "a * 1000000", "left(a, 99999999) + right(b, 99999999)", "upper(a) + lower(b) + trim(a)",
        "text(a) + text(b)", "coalesce(a, b) + replace(b, 'y', 'yy')",
    ],
)  # fmt: skip
def test_no_formula_builds_more_than_it_gives(text):
    values = {"a": "x" * 20_000, "b": "y" * 20_000}
    formulas.check(text, values)
    tracemalloc.start()
    try:
        found = formulas.result_of(text, values, "text")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found or "") <= formulas.LONGEST_TEXT
    assert most < 2_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("replace(a, 'o', '0')", "f00, b0"), ("replace(a, 'foo', '')", ", bo"), ("replace(a, 'z', 'y')", "foo, bo"),
        ("replace(a, '', '-')", "foo, bo"), ("replace(a, 'bo', 7)", "foo, 7"), ("concat(a, 1.50, '!')", "foo, bo1.5!"),
        ("concat()", None),
    ],
)  # fmt: skip
def test_texts_are_replaced_and_joined(text, expected):
    assert formulas.result_of(text, {"a": "foo, bo"}, "text") == expected


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("class + 1", {"class": 2}, Decimal(3)),
        ("concat(from, ' from class ', \"class\", class)", {"from": "x", "class": "y"}, "x from class classy"),
        ("'it\\'s class' if import > 1 and not None else class", {"import": 2, "class": "a"}, "it's class"),
        ("classes + class_2 + _class", {"classes": 1, "class_2": 2, "_class": 3}, Decimal(6)),
        ("lambda * 2 + return", {"lambda": 2, "return": 1}, Decimal(5)),
    ],
)
def test_keys_that_are_words_of_python(text, values, expected):
    assert formulas.check(text, values) == set(values)
    assert formulas.result_of(text, values) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [("class + unknown", 9), ("'é' + unknown", 7), ("class + ü + a.b", 13), ("Class + class", 1), ("from + from.x", 8)],
)
def test_places_of_mistakes_are_counted_in_characters(text, place):
    with pytest.raises(Invalid) as caught:
        formulas.check(text, {"a", "class", "from", "ü"})
    assert f"At character {place}:" in str(caught.value.fields["formula"])


@pytest.mark.parametrize(
    "text",
    [
        "a.real", "a[0]", "__import__('os')", "(lambda: 1)()", "a ** 99", "[x for x in a]", "f'{a}'", "a if", "max(*a)",
        "round(a, digits=2)", "b'x'", "1 +" * 300 + "a", "unknown + 1", "2 + 2", "",
    ],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(Invalid) as caught:
        formulas.check(text, {"a"})
    assert list(caught.value.fields) == ["formula"]
