"""The values of an organisation's own fields as pages show them: read, decrypted, computed, with names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.lib.money import exponent
from crm.records import custom, formulas, stored
from crm.records.names import Names, reference_of
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor


def own_fields(record_type: RecordType, actor: Actor) -> list[Field]:
    """The custom fields that the actor's role sees."""
    return [field for field in record_type.fields_for(actor.role) if field.custom]


def own_values(record_type: RecordType, record: Any, actor: Actor) -> dict[str, Any]:
    """The values of a record's custom fields that the actor's role sees, by key: one statement where one of them is
    encrypted. The caller has seen to it that the actor sees the record."""
    fields = own_fields(record_type, actor)
    if not fields:
        return {}
    found = {field.key: stored.read(field, record.custom) for field in fields}
    if any(field.encrypted for field in fields):
        found |= custom.opened(record_type, record.pk, actor)
    needed = {name for field in fields for name in formulas.names_of(field.formula)}
    if needed:
        found |= custom.computed(
            record_type, formula_values(record_type, record, needed, choice_names(record_type, needed)), actor
        )
    return found


ChoiceNames = Mapping[str, Mapping[str, str]]


def choice_names(record_type: RecordType, keys: Collection[str]) -> ChoiceNames:
    """What the choices of fields are called, by field key and value. Some are rows of a table: those are read once,
    however many records are shown."""
    return {f.key: dict(f.options()) for f in record_type.fields if f.key in keys and f.type == FieldType.CHOICE}


def formula_values(record_type: RecordType, record: Any, keys: Iterable[str], names: ChoiceNames) -> dict[str, Any]:
    """What formulas read of a record, by field key: money in units of its currency, choices by what they are called.

    `record` is a row of its model, or a dict of the columns that `formula_columns` names; `names` are `choice_names`.
    """
    known = {field.key: field for field in record_type.fields}
    get = record.get if isinstance(record, Mapping) else lambda column: getattr(record, column, None)
    return {key: _formula_value(known[key], get, names) for key in keys if key in known}


def formula_columns(record_type: RecordType, fields: Iterable[Field]) -> list[str]:
    """The columns of the model that formulas among the fields read."""
    known = {field.key: field for field in record_type.fields}
    parts = [known[name] for field in fields for name in formulas.names_of(field.formula) if name in known]
    plain = [column for part in parts if not part.custom for column in (part.column, part.currency_path) if column]
    return [*plain, *(["custom"] if any(part.custom for part in parts) else [])]


def flatten(record_type: RecordType, fields: Sequence[Field], rows: Iterable[dict[str, Any]], actor: Actor) -> None:
    """Puts the values of custom fields into the rows of a list, under the names of their columns."""
    own = [field for field in fields if field.custom]
    needed = {name for field in own for name in formulas.names_of(field.formula)}
    names, shown = choice_names(record_type, needed), {field.key for field in own}
    for row in rows if own else ():
        values = row.get("custom") or {}
        given = formula_values(record_type, row, needed, names)
        results = custom.computed(record_type, given, actor, shown) if needed else {}
        for field in own:
            row[field.column] = results.get(field.key) if field.formula else stored.read(field, values)
            if field.currency_path:
                row[field.currency_path] = stored.currency_of(field, values)


def _formula_value(field: Field, get: Callable[[str], Any], names: ChoiceNames) -> Any:
    values = get("custom") or {} if field.custom else {}
    value = stored.read(field, values) if field.custom else get(field.column)
    if value is None:
        return None
    if field.type == FieldType.MONEY:
        code = stored.currency_of(field, values) if field.custom else get(field.currency_path)
        return Decimal(value).scaleb(-exponent(code)) if code else None
    if field.type == FieldType.CHOICE:
        return str(names[field.key].get(str(value), value))
    return str(value) if isinstance(value, UUID) else value


def names_for(fields: Sequence[Field], values: Iterable[Mapping[str, Any]]) -> dict[UUID, str]:
    """The names of the members and records that custom fields point at: one statement, none where there are none."""
    wanted = Names()
    models = {field.key: model for field in fields if (model := reference_of(field))}
    pairs = [(model, row.get(key)) for row in values for key, model in models.items()]
    for model, pk in pairs:
        wanted.want(model, pk)
    wanted.load()
    return {pk: name for model, pk in pairs if pk and (name := wanted.of(model, pk))}
