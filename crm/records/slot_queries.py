"""Hand-written writes of the columns that lists are sorted by for an organisation's own fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models

from crm.records.registry import SHORT_TEXTS
from crm.records.sortslots import column_of


def wait_for_writers(org_id: UUID, record_type: str) -> None:
    """Waits until whoever was writing values of own fields of a type's records is done; who begins meanwhile waits for
    the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(keel_sort_lock(%s, %s))", [org_id, record_type])


def fill_slot(
    model: type[models.Model], slot: str, key: str, kind: str, options: Sequence[Any], ids: Sequence[UUID]
) -> int:
    """Writes the column of a slot in those of some rows where it is not what `custom` says; how many there were.

    `key`, `kind` and `options` are the field's. Rows keep their version: nothing that people see changes.
    """
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(column_of(slot))
    value = "keel_sort_text(t.custom -> %(key)s)"
    if kind not in SHORT_TEXTS:
        value = "keel_sort_number(%(kind)s, %(options)s::jsonb, t.custom -> %(key)s)"
    sql = f"""
        WITH wrong AS MATERIALIZED (
            SELECT t.id FROM {table} t
             WHERE t.org_id = app_org() AND t.id = ANY (%(ids)s) AND t.{column} IS DISTINCT FROM {value}
             ORDER BY t.id FOR NO KEY UPDATE)
        UPDATE {table} t SET {column} = {value} FROM wrong WHERE t.org_id = app_org() AND t.id = wrong.id
    """  # noqa: S608 -- names of models
    given = {"key": key, "kind": str(kind), "options": orjson.dumps(options).decode(), "ids": list(ids)}
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return int(cursor.rowcount)
