"""A hundred fields of an organisation's own on its contacts, while a row is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.types.json import Jsonb

from bench.people import Records
from crm import queries
from crm.actions.fields import FieldSettings, create_field, delete_field, restore_field
from crm.models import CustomField
from crm.tenancy.context import Actor, org_context

FIELDS = 100
NEWEST = 5000  # contacts of the whole organisation that have values: what first pages show
SHOWN = ("own_0", "own_1", "own_2")  # what the measured list shows of them
_KINDS = {"text": "Something that somebody wrote down", "number": 1250.5, "date": "2026-03-01", "checkbox": True}


@contextmanager
def hundred_fields(records: Records) -> Iterator[None]:
    """Adds the fields, fills them in the contacts that the first pages show, and takes them away again."""
    admin = records.people("admin")[0]
    with org_context(Actor.system(admin.org_id)):
        found = queries.member_by_id(admin.member_id)
    assert found is not None
    acting = found.actor
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
        connection.execute("VACUUM ANALYZE contacts_contact")
