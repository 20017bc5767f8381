"""Hand-written writes of many rows at once: one statement, whose text depends on the columns alone.

Django's own (bulk_update) names every row once for each column, and needs longer for its text than the database for
the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, models


def write_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, now: datetime | None = None
) -> int:
    """Writes columns (by `attname`) of rows that the caller has locked, each its own values; how many rows there were.

    Each of `rows` holds `id` and the columns. With `now` the rows get their next version, changed at that moment; rows
    without a version do without. The equivalent by the ORM is tests.records.test_bulk_engine.write_by_orm.
    """
    quote = connection.ops.quote_name
    fields = {field.attname: field for field in model._meta.concrete_fields}
    sets = [f"{quote(fields[name].column)} = x.{quote(fields[name].column)}" for name in columns]
    if now is not None:
        sets += ["version = t.version + 1", "updated_at = %(now)s"]
    shape = [f"{quote(fields[name].column)} {fields[name].db_type(connection)}" for name in columns]
    sql = (
        f"UPDATE {quote(model._meta.db_table)} t SET {', '.join(sets)}"  # noqa: S608 -- names of models
        f" FROM jsonb_to_recordset(%(rows)s::jsonb) AS x({', '.join(['id uuid', *shape])})"
        " WHERE t.org_id = app_org() AND t.id = x.id"
    )
    values = [{"id": row["id"], **{fields[name].column: row[name] for name in columns}} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(sql, {"rows": orjson.dumps(values, default=str).decode(), "now": now})
        return int(cursor.rowcount)
