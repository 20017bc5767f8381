"""A hundred fields of an organisation's own on its contacts, one of them sorted by, while a row is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from bench.people import Records
from crm import queries
from crm.actions.field_sorting import fill_part
from crm.actions.fields import FieldSettings, create_field, delete_field, restore_field, update_field
from crm.models import CustomField
from crm.tenancy.context import Actor, org_context

FIELDS = 100
NEWEST = 5000  # contacts of the whole organisation that have values: what first pages show
SHOWN = ("own_0", "own_1", "own_2")  # what the measured list shows of them
SORTED = "own_1"  # a number
_KINDS = {"text": "Something that somebody wrote down", "number": 1250.5, "date": "2026-03-01", "checkbox": True}


def _admin(records: Records) -> Actor:
    admin = records.people("admin")[0]
    with org_context(Actor.system(admin.org_id)):
        found = queries.member_by_id(admin.member_id)
    assert found is not None
    return found.actor


@contextmanager
def hundred_fields(records: Records) -> Iterator[None]:
    """Adds the fields, fills them in the contacts that the first pages show, and takes them away again."""
    acting = _admin(records)
    kinds = [list(_KINDS)[n % len(_KINDS)] for n in range(FIELDS)]
    with org_context(acting):
        for row in CustomField.everything.filter(record_type="contact", deleted_at__isnull=False):
            restore_field(row.pk, acting=acting)
        for n, kind in enumerate(kinds if not CustomField.objects.filter(record_type="contact").exists() else ()):
            create_field("contact", FieldSettings(label=f"Own {n}", key=f"own_{n}", kind=kind), acting=acting)
    _fill(records, {f"own_{n}": _KINDS[kind] for n, kind in enumerate(kinds)})
    try:
        yield
    finally:
        with org_context(acting):
            for pk in CustomField.objects.filter(record_type="contact").values_list("pk", flat=True):
                delete_field(pk, acting=acting)


def _fill(records: Records, values: dict[str, object]) -> None:
    people = [person for role in ("rep", "manager") for person in records.people(role)]
    members = [str(member) for person in people for member in person.members]
    newest = "SELECT id FROM contacts_contact WHERE deleted_at IS NULL AND {} ORDER BY updated_at DESC LIMIT %s"
    org = str(people[0].org_id)
    with psycopg.connect(records.url, autocommit=True) as connection:
        for condition, of in (("org_id = %s", org), ("owner_id = ANY (%s::uuid[])", members)):
            ids = [row[0] for row in connection.execute(newest.format(condition), [of, NEWEST])]
            connection.execute("UPDATE contacts_contact SET custom = %s WHERE id = ANY (%s)", [Jsonb(values), ids])
        _settle(connection)


def _settle(connection: psycopg.Connection[Any]) -> None:
    """The table as it is long after such a change: otherwise whoever reads it next writes its pages to the disk."""
    connection.execute("VACUUM ANALYZE contacts_contact")
    connection.execute("CHECKPOINT")


def rank_of(pk: UUID) -> int:
    """What a contact has in the field that lists are sorted by, if it has anything."""
    return int(pk.hex[-5:], 16)


@contextmanager
def sorted_field(records: Records) -> Iterator[None]:
    """The hundred fields, one of which every fifth contact has a value of its own in, and lists can be sorted by."""
    acting = _admin(records)
    with hundred_fields(records):
        rank = "('x' || right(replace(id::text, '-', ''), 5))::bit(20)::int"
        few = "org_id = %s AND (custom ? %s OR get_byte(uuid_send(id), 14) < 51)"
        text = f"UPDATE contacts_contact SET custom = custom || jsonb_build_object(%s::text, {rank}) WHERE {few}"
        with psycopg.connect(records.url, autocommit=True) as connection:
            connection.execute(text.encode(), [SORTED, acting.org_id, SORTED])
        with org_context(acting):
            row = CustomField.objects.get(record_type="contact", key=SORTED)
            update_field(row.pk, FieldSettings(label=row.label, kind=row.kind, sortable=True), acting=acting)
        more = True
        while more:  # what the job does
            with org_context(Actor.system(acting.org_id)) as system:
                more = fill_part(row.pk, acting=system)
        with psycopg.connect(records.url, autocommit=True) as connection:
            _settle(connection)
        yield
