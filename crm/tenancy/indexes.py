"""Indexes that models name: those of sorts by an organisation's own fields, and those that search stands on, whose
expressions its functions repeat (crm.tenancy.searching)."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.indexes import GinIndex
from django.db.models import F, Func, Index, OrderBy, Q

from crm.tenancy.models import SortSlots

CHANGED = (F("updated_at").desc(), F("id").desc())  # by last change
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


def owned_index(name: str, *include: str, sieved: Sequence[str] = ()) -> Index:
    """One member's rows by last change, with all that their lists are sorted by: those few are put in order by the
    index alone, and the table is asked for a page of them. `sieved` is what they are filtered by most, as in
    `sieved_index`."""
    return Index(
        "org", "owner", *CHANGED, *sieved, include=[*include, *SortSlots.SLOT_COLUMNS],
        name=name, condition=Q(deleted_at__isnull=True),
    )  # fmt: skip


def sieved_index(
    *order: str | OrderBy, sieved: Sequence[str], name: str, include: Sequence[str] = (), condition: Q | None = None
) -> Index:
    """The rows of an organisation in an order that ends with the id, and what lists of them are filtered by most.

    `sieved` are columns of the key, though nothing is left to be put in order by them: PostgreSQL holds a condition on
    a column of the key against each entry where it stands, and takes out only what passes; for one on an included
    column it takes each entry out first, and looks its page up in the visibility map. At 500,000 contacts a manager's
    page costs 1.1 ms so, not 3.0.
    """
    live = Q(deleted_at__isnull=True)
    return Index(
        "org", *order, *sieved, include=[*include] or None, name=name,
        condition=live if condition is None else live & condition,
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
