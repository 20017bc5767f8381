"""What a history can be narrowed to."""

from __future__ import annotations

from uuid import UUID

from crm.lib.errors import NotFound
from crm.records.customhistory import COLUMN
from crm.records.history import children_of, columns_seen
from crm.records.queries import Sieve
from crm.records.registry import RecordType
from crm.tenancy.context import Actor


def sieve_of(record_type: RecordType, key: str, actor: Actor, by: UUID | None = None) -> Sieve:
    """What leaves the changes of a field, and those of a member. Raises NotFound for a field the actor doesn't see.

    A child table that stands for no field of the record goes by its own name.
    """
    if not key:
        return Sieve(actor=by)
    seen = columns_seen(record_type, actor).items()
    # The log holds an organisation's own fields together.
    columns = tuple(COLUMN if candidate.custom else c for c, candidate in seen if candidate.key == key)
    children = children_of(record_type).items()
    if not columns and not any(table == key and not child.key for table, child in children):
        raise NotFound
    return Sieve(columns, tuple(table for table, child in children if key in (child.key, table)), by)


def fields_of(record_type: RecordType, actor: Actor) -> list[tuple[str, str]]:
    """The fields whose changes the actor may read, (key, label): the record's own, then child tables that are none."""
    own = [(candidate.key, str(candidate.label)) for candidate in columns_seen(record_type, actor).values()]
    return own + [(table, str(child.label)) for table, child in children_of(record_type).items() if not child.key]
