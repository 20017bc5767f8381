"""Indexes that models name: those of sorts by an organisation's own fields, and those that search stands on, whose
expressions its functions repeat (crm.tenancy.searching)."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db.models import F, Func, Index, Q

from crm.tenancy.models import SortSlots

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


def owned_index(name: str, *include: str) -> Index:
    """One member's rows by last change, with all that their lists are sorted by: those few are put in order by the
    index alone, and the table is asked for a page of them."""
    return Index(
        "org", "owner", F("updated_at").desc(), F("id").desc(), include=[*include, *SortSlots.SLOT_COLUMNS], name=name,
        condition=Q(deleted_at__isnull=True),
    )  # fmt: skip


def slot_indexes(prefix: str) -> list[Index]:
    """The indexes of a table's sort columns, of the rows with a value alone: most organisations have no such field.

    With the owner, so that a list passes by other people's rows without touching the table.
    """
    return [
        Index(
            "org", column, "id", include=["owner"], name=f"{prefix}_{column}",
            condition=Q(deleted_at__isnull=True, **{f"{column}__isnull": False}),
        )
        for column in SortSlots.SLOT_COLUMNS
    ]  # fmt: skip
