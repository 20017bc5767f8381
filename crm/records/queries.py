"""Hand-written reads of the records layer: they stand on the hottest pages, where building SQL by the ORM would cost
more than running it. Each has a test that compares it with the plain way (tests/activities/test_equivalence.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import QuerySet

from crm.tenancy.backend.base import prepared_cursor

# One row per transaction that touched the record or one of its children, the newest first. It is told by who began it.
_GROUPS_SQL = """
SELECT at, (array_agg(actor_id ORDER BY id))[1], (array_agg(actor_kind ORDER BY id))[1],
       (array_agg(change_set_id ORDER BY id))[1], min(id),
       jsonb_agg(jsonb_build_array(table_name, row_id, operation, diff, id) ORDER BY id)
  FROM crm_auditentry
 WHERE ((table_name = %(table)s AND row_id = %(pk)s) OR (parent_id = %(pk)s AND table_name = ANY (%(children)s))){cut}
 GROUP BY at, request_id
 ORDER BY at DESC, min(id) DESC LIMIT %(limit)s
"""

# What a history is narrowed to: changes of some columns or child tables, changes by somebody.
_OF_FIELD = """ AND ((table_name = %(table)s AND operation = 'U' AND diff ?| %(columns)s::text[])
    OR (table_name <> %(table)s AND table_name = ANY (%(tables)s)))"""
_BY = " AND actor_id = %(actor)s"


@dataclass(frozen=True, slots=True)
class Sieve:
    """What is left of a history: changes of these columns of the record or rows of these child tables; or all of it
    where none are named. With `actor` only what that member did."""

    columns: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    actor: UUID | None = None


EVERYTHING = Sieve()

AuditGroup = tuple[datetime, UUID | None, str, UUID | None, int, list[list[Any]]]


def audit_groups(
    table: str,
    pk: UUID,
    children: Sequence[str],
    *,
    before: tuple[datetime, int | None] | None,
    limit: int,
    sieve: Sieve = EVERYTHING,
) -> list[AuditGroup]:
    """What the log holds of a row and of its rows in child tables, by transaction, strictly before `(at, first id)`.

    Without an id the whole moment is included. Each: at, actor, kind of actor, change set, first id, and the entries
    as [table, row id, operation, diff, id], those that the sieve leaves.
    """
    cut = ""
    if before:
        cut = " AND at <= %(at)s" if before[1] is None else " AND (at, id) < (%(at)s, %(first)s)"
    if sieve.columns or sieve.tables:
        cut += _OF_FIELD
    if sieve.actor:
        cut += _BY
    at, first = before or (None, None)
    params = {
        "table": table, "pk": pk, "children": list(children), "limit": limit, "at": at, "first": first,
        "columns": list(sieve.columns), "tables": list(sieve.tables), "actor": sieve.actor,
    }  # fmt: skip
    with prepared_cursor() as cursor:
        cursor.execute(_GROUPS_SQL.format(cut=cut), params)
        return [(*row[:5], orjson.loads(row[5])) for row in cursor.fetchall()]


def estimate_rows(table: str) -> int | None:
    """About how many rows of a model's table the actor reaches, the recycle bin's too, by the database's statistics;
    None where it has none."""
    with prepared_cursor() as cursor:
        cursor.execute("SELECT keel_estimate(%s)", [table])
        return cursor.fetchone()[0]


def expected_rows(rows: QuerySet[Any]) -> int:
    """How many rows the planner expects of a queryset. Nothing is read."""
    plan = orjson.loads(rows.order_by().values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


@dataclass(frozen=True, slots=True)
class Named:
    """Rows of one table whose names are wanted: the columns that make the name, and the one that stands in for it."""

    table: str
    columns: tuple[str, ...]
    fallback: str
    ids: Collection[UUID]
    live: bool = False  # without what is deleted


_MEMBERS = "crm_membership"
_MEMBERS_SQL = """SELECT {number}, t.id, coalesce(nullif(u.name, ''), split_part(u.email, '@', 1))
  FROM crm_membership t JOIN crm_user u ON u.id = t.user_id WHERE t.id = ANY (%s)"""


def record_names(wanted: Sequence[Named]) -> list[tuple[int, UUID, str]]:
    """Names of rows of several tables in one statement: (position in `wanted`, id, name).

    Rows that the reader does not see are left out; a member's name is the person's, or the beginning of their address.
    Tables and columns come from models, never from outside.
    """
    parts = [_named_sql(number, named) for number, named in enumerate(wanted)]
    with prepared_cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [list(named.ids) for named in wanted])
        return cursor.fetchall()


def _named_sql(number: int, named: Named) -> str:
    if named.table == _MEMBERS:
        return _MEMBERS_SQL.format(number=number)
    name = f"btrim(concat_ws(' ', {', '.join(f't.{column}' for column in named.columns)}))"
    fallback = f"t.{named.fallback}" if named.fallback else "''"
    text = f"coalesce(nullif({name}, ''), {fallback}, '')"
    live = " AND t.deleted_at IS NULL" if named.live else ""
    return f"SELECT {number}, t.id, {text} FROM {named.table} t WHERE t.id = ANY (%s){live}"  # noqa: S608 -- names of models


def tag_usage(columns: Sequence[tuple[str, str]]) -> list[tuple[int, UUID, int]]:
    """How many live rows hold each tag, for columns of tables that hold tags: (position in `columns`, tag, count).

    The tables and columns come from models, never from outside.
    """
    parts = [
        f"SELECT {number}, x.tag, count(*) FROM (SELECT unnest(t.{column}) AS tag FROM {table} t"  # noqa: S608 -- names of models
        " WHERE t.org_id = app_org() AND t.deleted_at IS NULL) x GROUP BY x.tag"
        for number, (table, column) in enumerate(columns)
    ]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return cursor.fetchall()
