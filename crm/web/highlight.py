"""Showing where in a text the words stand that were sought: compared as the database does, without case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from markupsafe import Markup, escape

WORD = re.compile(r"[^\W_]+")
Span = tuple[int, int]


def mark(text: str, sought: str) -> Markup:
    """The text as HTML, with what matches marked: beginnings of words, else any part, else digits in any format."""
    out, at = Markup(""), 0
    for start, end in _spans(text, sought):
        out += escape(text[at:start]) + Markup("<mark>") + escape(text[start:end]) + Markup("</mark>")
        at = end
    return out + escape(text[at:])


def has_words(text: str, sought: str) -> bool:
    """Whether every word that is sought begins a word of the text."""
    folded, _places = _folded(text)
    plain, _places = _folded(sought)
    return all(any(_beginnings(folded, word)) for word in WORD.findall(plain))


def excerpt(text: str, sought: str, length: int) -> str:
    """The part of a long text that shows what was sought, on one line, with an ellipsis where something is left out."""
    text = " ".join(text.split())
    spans = _spans(text, sought)
    start = max(0, spans[0][0] - length // 3) if spans else 0
    if start:
        start = text.find(" ", start) + 1 or start
    end = len(text) if len(text) <= start + length else (text.rfind(" ", start, start + length) + 1 or start + length)
    return ("…" if start else "") + text[start:end].rstrip() + ("…" if end < len(text) else "")


def _spans(text: str, sought: str) -> list[Span]:
    """Where to mark, in order and without overlaps."""
    folded, places = _folded(text)
    plain, _places = _folded(sought.strip())
    by_word = [list(_beginnings(folded, word)) for word in WORD.findall(plain)]
    begun = [span for spans in by_word for span in spans]
    if by_word and all(by_word):
        found = begun
    else:
        found = list(_anywhere(folded, plain)) or list(_digits(folded, plain)) or begun
    return _merged([(places[start], places[end - 1] + 1) for start, end in found])


def _folded(text: str) -> tuple[str, list[int]]:
    """The text without case and accents, and for each of its characters the place of the original one."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for part in unicodedata.normalize("NFKD", letter):
            if not unicodedata.combining(part):
                lower = part.lower()
                letters.append(lower)
                places += [place] * len(lower)
    return "".join(letters), places


def _beginnings(folded: str, word: str) -> Iterator[Span]:
    for match in re.finditer(rf"(?<![^\W_]){re.escape(word)}", folded):
        yield match.span()


def _anywhere(folded: str, part: str) -> Iterator[Span]:
    for match in re.finditer(re.escape(part), folded) if part else ():
        yield match.span()


def _digits(folded: str, sought: str) -> Iterator[Span]:
    """A number in another format: its digits with anything that is no letter between them."""
    digits = "".join(letter for letter in sought.replace("(0)", "") if letter.isdigit()).lstrip("0")
    if len(digits) > 2 and not any(letter.isalpha() for letter in sought):
        for match in re.finditer(r"[\s().+/-]*".join(digits), folded):
            yield match.span()


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
