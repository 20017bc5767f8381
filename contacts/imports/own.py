"""Columns that fill an organisation's own fields."""

from __future__ import annotations

from collections.abc import Mapping
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
    FieldType.URL: "text", FieldType.MULTI_CHOICE: "text", FieldType.NUMBER: "decimal", FieldType.PERCENT: "decimal",
    FieldType.MONEY: "money", FieldType.DATE: "date", FieldType.DATETIME: "datetime", FieldType.CHECKBOX: "bool",
    FieldType.CHOICE: "choice",
}  # fmt: skip


def target_of(key: str, acting: Actor) -> Target:
    """What is imported into, with the organisation's own fields that the actor's role may write, but for those that
    point at records and members. Raises KeyError."""
    target = targets.for_actor(key, acting)
    own = [f for f in editable_fields(schema.record_type(key, acting), acting) if f.custom and f.type in _KINDS]
    return replace(target, fields=(*target.fields, *(_field(f) for f in own))) if own else target


def _field(field: Field) -> ImportField:
    choices = tuple(field.options()) if field.type == FieldType.CHOICE else ()
    names = tuple(dict.fromkeys((parsing.normal(str(field.label)), parsing.normal(field.key))))
    has_currency = field.type == FieldType.MONEY
    kind = _KINDS[field.type]
    return ImportField(PREFIX + field.key, field.label, kind, names, choices=choices, with_currency=has_currency)


def own_values(parsed: Parsed, present: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A row's values of own fields by key, as actions take them; without those that `present` has a value for."""
    found = {}
    for name, value in parsed.values.items():
        key = name.removeprefix(PREFIX)
        if key != name and not (present or {}).get(key):
            found[key] = value
    return found
