"""Indexes that search stands on (crm.tenancy.searching). Models name them; the functions repeat their expressions."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db.models import F, Func, Q

PENDING = 1024  # kB of new entries that wait to be sorted in; what waits is read with every search


def words_index(name: str, *text: str, function: str = "", condition: Q) -> GinIndex:
    """The words of a column, or of what a database function makes of several columns."""
    value = Func(*(F(column) for column in text), function=function) if function else F(text[0])
    return _index("keel_word_vector", value, name, condition)


def grams_index(name: str, column: str, *, function: str = "", condition: Q | None = None) -> GinIndex:
    """The addresses or numbers in a column, by any part of them."""
    value = Func(F(column), function=function) if function else F(column)
    return _index("keel_gram_vector", value, name, condition)


def _index(function: str, value: F | Func, name: str, condition: Q | None) -> GinIndex:
    vector = Func(F("org_id"), value, function=function)
    return GinIndex(vector, name=name, condition=condition, fastupdate=True, gin_pending_list_limit=PENDING)
