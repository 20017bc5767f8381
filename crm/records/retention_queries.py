"""What goes for good in its time: which organisations have something due, and erasing what the log says of it.

Each calls a function of the database that reads or writes beyond what the application's role may.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection


def due_bins(before: datetime) -> list[UUID]:
    """Ids of the organisations whose recycle bins hold something older than a moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM keel_due_bins(%s)", [before])
        return [row[0] for row in cursor.fetchall()]


def due_fields(before: datetime) -> list[UUID]:
    """Ids of the organisations with fields of their own that were deleted before a moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM keel_due_fields(%s)", [before])
        return [row[0] for row in cursor.fetchall()]


def forget_values(field_id: UUID, table: str, records: Sequence[UUID]) -> int:
    """Blanks what this transaction has logged of taking a purged field's values out of records; how many entries.

    Raises ProgrammingError unless the field was deleted 30 days ago and the actor may write everything.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT keel_forget_values(%s, %s, %s)", [field_id, table, list(records)])
        return int(cursor.fetchone()[0])


def erase_subjects(change_set_id: UUID) -> int:
    """Blanks what the audit log says of the rows that a purge has deleted; how many entries.

    Raises ProgrammingError unless the change set left receipts and the actor may write everything.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT keel_erase_subjects(%s)", [change_set_id])
        return int(cursor.fetchone()[0])
