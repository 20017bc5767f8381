"""Columns that fill an organisation's own fields."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from contacts.imports import parsing, targets
from contacts.imports.targets import ImportField, Kind, Parsed, Target
from crm.records import schema
from crm.records.actions import editable_fields
from crm.records.registry import Field, FieldType
from crm.tenancy.context import Actor

PREFIX = "custom."  # before the key of such a field: no other field of a target has a dot
_KINDS: dict[FieldType, Kind] = {
    FieldType.TEXT: "text", FieldType.LONG_TEXT: "text", FieldType.EMAIL: "text", FieldType.PHONE: "text",
    FieldType.URL: "text", FieldType.MULTI_CHOICE: "choices", FieldType.NUMBER: "decimal", FieldType.PERCENT: "decimal",
    FieldType.MONEY: "money", FieldType.DATE: "date", FieldType.DATETIME: "datetime", FieldType.CHECKBOX: "bool",
    FieldType.CHOICE: "choice", FieldType.MEMBER: "member", FieldType.LOOKUP: "record",
}  # fmt: skip


def target_of(key: str, acting: Actor) -> Target:
    """What is imported into, with the organisation's own fields that the actor's role may write. Raises KeyError."""
    target = targets.for_actor(key, acting)
    own = [f for f in editable_fields(schema.record_type(key, acting), acting) if f.custom and f.type in _KINDS]
    return replace(target, fields=(*target.fields, *(_field(f) for f in own))) if own else target


def _field(field: Field) -> ImportField:
    choices = tuple(field.options()) if field.type in (FieldType.CHOICE, FieldType.MULTI_CHOICE) else ()
    names = tuple(dict.fromkeys((parsing.normal(str(field.label)), parsing.normal(field.key))))
    has_currency = field.type == FieldType.MONEY
    kind = _KINDS[field.type]
    return ImportField(
        PREFIX + field.key, field.label, kind, names, choices=choices, with_currency=has_currency,
        target=field.target, sealed=field.encrypted,
    )  # fmt: skip


def own_values(parsed: Parsed, held: Collection[str] = ()) -> dict[str, Any]:
    """A row's values of own fields by key, as actions take them; without those of which the record `held` a value,
    be it 0 or no."""
    found = {}
    for name, value in parsed.values.items():
        key = name.removeprefix(PREFIX)
        if key != name and key not in held:
            found[key] = value
    return found
