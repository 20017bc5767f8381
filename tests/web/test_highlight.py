"""What was sought is marked where the database has found it."""

import pytest

from crm.web.highlight import excerpt, has_words, mark


@pytest.mark.parametrize(
    ("text", "sought", "marked"),
    [
        ("Ysolde Brandvik", "yso", "<mark>Yso</mark>lde Brandvik"),
        ("Ysolde Brandvik", "brand yso", "<mark>Yso</mark>lde <mark>Brand</mark>vik"),
        ("Åsa Müller", "asa mull", "<mark>Åsa</mark> <mark>Müll</mark>er"),
        ("Brandvik-Lund", "lund", "Brandvik-<mark>Lund</mark>"),
        ("Anna Rand", "and", "Anna R<mark>and</mark>"),
        ("olde@ravnkloa.example", "lde@rav", "o<mark>lde@rav</mark>nkloa.example"),
        ("+49 30 1234567", "030 123-45", "+49 <mark>30 12345</mark>67"),
        ("<b>Ann</b> & Co", "ann", "&lt;b&gt;<mark>Ann</mark>&lt;/b&gt; &amp; Co"),
        ("Ysolde", "ysodle", "Ysolde"),
        ("Ysolde", "", "Ysolde"),
        ("", "a", ""),
    ],
)
def test_mark(text: str, sought: str, marked: str) -> None:
    assert mark(text, sought) == marked


def test_excerpt_shows_what_was_sought_in_a_long_text() -> None:
    text = "They asked for a price. " * 10 + "The spinnaker tore in March.\nNext call on Thursday. " + "More. " * 30
    shown = excerpt(text, "spinn", 60)
    assert "spinnaker tore" in shown
    assert len(shown) <= 64
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "\n" not in shown
    assert excerpt("Short.", "x", 60) == "Short."


@pytest.mark.parametrize(
    ("text", "sought", "has"),
    [("Move to Qualified", "qual mov", True), ("Move to Qualified", "ove", False), ("Log a call", "", True)],
)
def test_has_words(text: str, sought: str, has: bool) -> None:
    assert has_words(text, sought) is has
