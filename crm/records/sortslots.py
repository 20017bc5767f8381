"""Which of an organisation's own fields lists can be sorted by, and the columns that repeat their values for that.

A record type has three columns for texts and three for numbers, whose indexes hold the rows with a value
(crm.tenancy.models.SortSlots).
"""

from __future__ import annotations

from crm.records.registry import SHORT_TEXTS, FieldType, RecordType
from crm.tenancy.models import SortSlots

NUMBERS = frozenset(
    {FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY, FieldType.DATE, FieldType.DATETIME, FieldType.CHECKBOX,
     FieldType.CHOICE}
)  # fmt: skip


def has_slots(record_type: RecordType) -> bool:
    """Whether records of a type can be sorted by fields of an organisation's own."""
    return issubclass(record_type.model, SortSlots)


def slots_for(kind: str) -> tuple[str, ...]:
    """The slots that a field of a FieldType can have; none where lists are not sorted by such values."""
    if kind in SHORT_TEXTS:
        return SortSlots.TEXT_SLOTS
    return SortSlots.NUMBER_SLOTS if kind in NUMBERS else ()


def column_of(slot: str) -> str:
    """The column of a slot."""
    return f"sort_{slot}"
