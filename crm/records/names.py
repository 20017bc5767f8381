"""The names of members and records that entries of a history or a timeline mention, read together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Func, Model, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from crm import access
from crm.models import Membership
from crm.records.registry import registry

Text = CharField(max_length=400)


class Names:
    """Asks for names first, then reads all of them in one statement: a UNION of one branch per kind of record.

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
        branches = [_named(model, self._wanted[model], number) for number, model in enumerate(models)]
        self._wanted.clear()
        if branches:
            for number, pk, text in branches[0].union(*branches[1:], all=True) if branches[1:] else branches[0]:
                self._texts[models[number], pk] = text

    def of(self, model: type[Model], pk: Any) -> str:
        """The name of a record, "" for one that is absent or not for this reader."""
        if not pk or not access.is_uuid(pk):
            return ""
        return self._texts.get((model, pk if isinstance(pk, UUID) else UUID(pk)), "")


def _named(model: type[Model], ids: set[UUID], number: int) -> QuerySet[Any, tuple[int, UUID, str]]:
    rows = model._default_manager.filter(pk__in=ids)
    return rows.annotate(kind_number=Value(number), text=name_expression(model)).values_list(
        "kind_number", "pk", "text"
    )


def name_expression(model: type[Model]) -> Any:
    """SQL of a record's name: what its record type says, a member's name or the beginning of their address."""
    if model is Membership:
        account = Func(F("user__email"), Value("@"), Value(1), function="split_part", output_field=Text)
        return Coalesce(NullIf(F("user__name"), Value("")), account, output_field=Text)
    try:
        record_type = registry.for_model(model)
    except KeyError:
        return Coalesce(F("name"), Value(""), output_field=Text)
    return _joined(record_type.name_paths, record_type.name_fallback)


def _joined(paths: tuple[str, ...], fallback: str) -> Any:
    parts: list[Any] = [F(paths[0])]
    for path in paths[1:]:
        parts += [Value(" "), F(path)]
    name = Trim(Concat(*parts, output_field=Text)) if parts[1:] else F(paths[0])
    if not fallback:
        return Coalesce(name, Value(""), output_field=Text)
    return Coalesce(NullIf(name, Value("")), F(fallback), Value(""), output_field=Text)
