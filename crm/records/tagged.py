"""Which records have a tag, of every registered type that has tags: counting them, and giving them another one.

Tags are the organisation's: both look at records that the actor does not see. The callers have checked the rule.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, F, Func, UUIDField, Value, When

from crm.records.queries import tag_usage
from crm.records.registry import FieldType, RecordType, registry
from crm.tenancy.context import elevated

_ARRAY = ArrayField(UUIDField())


def tag_columns() -> list[tuple[RecordType, str]]:
    """The columns that hold tags, with the types they are of."""
    return [(t, field.column) for t in registry for field in t.fields if field.type == FieldType.TAGS]


def usage() -> dict[UUID, dict[str, int]]:
    """How many live records have each tag, by the key of their type. Reads every tagged record: not for every page."""
    columns = tag_columns()
    found: dict[UUID, dict[str, int]] = {}
    with elevated("how many records have a tag, whoever owns them"):
        rows = tag_usage([(t.model._meta.db_table, column) for t, column in columns])
    for number, tag, count in rows:
        counts, key = found.setdefault(tag, {}), columns[number][0].key
        counts[key] = counts.get(key, 0) + count
    return found


def retag(source: UUID, into: UUID, limit: int) -> int:
    """Gives up to `limit` records that have one tag another one instead, the recycle bin's too; how many there were.

    Their versions grow, so that no form brings the former tag back. Their place in lists stays: nobody worked on them.
    """
    done = 0
    with elevated("records with a merged tag that the actor may not see have the other one too"):
        for record_type, column in tag_columns():
            done += _retag(record_type.model, column, source, into, limit - done)
            if done >= limit:
                break
    return done


def _retag(model: type[Any], column: str, source: UUID, into: UUID, limit: int) -> int:
    rows = model._base_manager.filter(**{f"{column}__contains": [source]}).order_by("pk")
    ids = list(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True)[:limit])
    old, new = (Value(tag, UUIDField()) for tag in (source, into))
    has_both = When(
        **{f"{column}__contains": [into]}, then=Func(F(column), old, function="array_remove", output_field=_ARRAY)
    )
    replaced = Func(F(column), old, new, function="array_replace", output_field=_ARRAY)
    if ids:
        changed: Any = {column: Case(has_both, default=replaced), "version": F("version") + 1}
        model._base_manager.filter(pk__in=ids).update(**changed)
    return len(ids)
