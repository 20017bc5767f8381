"""The names of members and records that entries of a history or a timeline mention, read together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db.models import Model

from crm import access
from crm.models import Membership
from crm.records import schema
from crm.records.queries import Named, record_names
from crm.records.registry import Field, FieldType, registry
from crm.tenancy.context import current_actor


class Names:
    """Asks for names first, then reads all of them in one statement.

    What the reader may not see has no name.
    """

    def __init__(self) -> None:
        self._wanted: dict[type[Model], set[UUID]] = defaultdict(set)
        self._texts: dict[tuple[type[Model], UUID], str] = {}

    def want(self, model: type[Model], pk: Any) -> None:
        """Asks for the name of a record; None and what is no id are passed over."""
        if pk and access.is_uuid(pk):
            key = pk if isinstance(pk, UUID) else UUID(pk)
            if (model, key) not in self._texts:
                self._wanted[model].add(key)

    def load(self) -> None:
        """Reads what was asked for since the last time; no statement where that is nothing."""
        models = list(self._wanted)
        if models:
            wanted = [Named(m._meta.db_table, *_columns_of(m), self._wanted[m]) for m in models]
            for number, pk, text in record_names(wanted):
                self._texts[models[number], pk] = text
            self._wanted.clear()

    def of(self, model: type[Model], pk: Any) -> str:
        """The name of a record, "" for one that is absent or not for this reader."""
        if not pk or not access.is_uuid(pk):
            return ""
        return self._texts.get((model, pk if isinstance(pk, UUID) else UUID(pk)), "")


def reference_of(field: Field) -> type[Model] | None:
    """What the values of a custom field point at; None for one that holds its values itself."""
    if field.type == FieldType.MEMBER:
        return Membership
    return registry.target(field.target).model if field.type == FieldType.LOOKUP else None


def _columns_of(model: type[Model]) -> tuple[tuple[str, ...], str]:
    """The columns of a record's name, as its type says; other models have a `name`."""
    try:
        record_type = registry.for_model(model)
    except KeyError:
        return ("name",), ""
    if record_type.name_fallback:
        record_type = schema.record_type(record_type.key, current_actor())
    return record_type.name_paths, record_type.name_fallback
