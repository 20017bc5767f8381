"""What an organisation has made of the record types: its own fields beside the built-in ones, and who sees which.

Pages, lists, forms, exports and actions get a type from here, never from the registry alone: a field that is hidden
from a role is then in none of them. What is read once is kept by the process until `Organization.schema_version`
moves on, which every request reads with its member anyway.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from uuid import UUID

from crm.enums import FieldLevel, Role
from crm.models import CustomField, FieldAccess, Organization
from crm.records import formulas, sortslots
from crm.records.registry import Field, FieldType, RecordType, registry
from crm.tenancy.context import Actor

KEPT_MOST = 500  # organisations that a process remembers
LIMITED_ROLES = tuple(role for role in Role.values if role != Role.ADMIN)  # an admin sees and edits every field

Levels = Mapping[str, Mapping[str, str]]  # by field key and role


@dataclass(frozen=True)
class Schema:
    """The record types of one organisation, by key."""

    version: int
    types: Mapping[str, RecordType]


_kept: OrderedDict[UUID, Schema] = OrderedDict()
_lock = Lock()


def schema_of(actor: Actor) -> Schema:
    """The record types as the actor's organisation has them."""
    version = actor.schema if actor.schema is not None else _version_of(actor.org_id)
    kept = _kept.get(actor.org_id)
    if kept is not None and kept.version == version:
        return kept
    made = _read(actor.org_id)
    # Inside the transaction that changes it, the schema is already another one than everybody else's.
    if made.version == version:
        with _lock:
            _kept[actor.org_id] = made
            _kept.move_to_end(actor.org_id)
            while len(_kept) > KEPT_MOST:
                _kept.popitem(last=False)
    return made


def record_type(key: str, actor: Actor) -> RecordType:
    """A record type as the actor's organisation has it. Raises KeyError."""
    found = schema_of(actor).types.get(key)
    return _named_for(found if found is not None else registry.get(key), actor)  # one registered since, as tests do


def _named_for(record_type: RecordType, actor: Actor) -> RecordType:
    """The type without the column that stands in for an empty name, where the actor's role does not see it."""
    if not record_type.name_fallback or not actor.role:
        return record_type
    return record_type.remembered(("named", actor.role), lambda: _without_hidden_name(record_type, actor.role))


def _without_hidden_name(record_type: RecordType, role: str) -> RecordType:
    fallback = record_type.name_fallback
    hidden = any(f.column == fallback and role not in f.visible_to for f in record_type.fields)
    return replace(record_type, name_fallback="") if hidden else record_type


def target(key: str, actor: Actor) -> RecordType:
    """The type that a lookup or a relation leads to, as the organisation has it. Raises KeyError."""
    return schema_of(actor).types.get(key) or registry.target(key)


def _version_of(org_id: UUID) -> int:
    return Organization.objects.values_list("schema_version", flat=True).get(pk=org_id)


def _read(org_id: UUID) -> Schema:
    version = _version_of(org_id)
    fields, levels = defaultdict(list), defaultdict(lambda: defaultdict(dict))
    for row in CustomField.objects.order_by("position", "pk"):
        fields[row.record_type].append(field_of(row))
    for kind, key, role, level in FieldAccess.objects.values_list("record_type", "field_key", "role", "level"):
        levels[kind][key][role] = level
    types = {t.key: _own(t, fields[t.key], levels[t.key]) for t in registry}
    return Schema(version, types)


def field_of(row: CustomField) -> Field:
    """A custom field as the registry's kind of field."""
    kind = FieldType(row.kind)
    tones = {option["value"]: option.get("tone") or "gray" for option in row.options}
    choices = [(option["value"], option["label"]) for option in row.options]
    return Field(
        row.key, row.label, kind, custom=True, field_id=row.pk, group=row.group, help=row.help, required=row.required,
        unique=row.unique, encrypted=row.encrypted, default=row.default, target=row.target, formula=row.formula,
        result=FieldType(row.result) if row.result else None,
        choices=(lambda: choices) if row.options else None, tones=tones or None,
        currency_path=f"custom.{row.key}.currency" if kind == FieldType.MONEY else "",
        filterable=not row.encrypted and kind != FieldType.FORMULA, editable=kind != FieldType.FORMULA,
        sortable=row.sort_ready, sort_path=sortslots.column_of(row.sort_slot) if row.sort_ready else "",
    )  # fmt: skip


def _own(built_in: RecordType, custom: Iterable[Field], levels: Levels) -> RecordType:
    fields = [_limited(field, levels.get(field.key, {})) for field in (*built_in.fields, *custom)]
    by_key = {field.key: field for field in fields}
    fields = [replace(f, visible_to=_seen_by(f, by_key)) if f.parts or f.formula else f for f in fields]
    return replace(built_in, fields=tuple(fields))


def may_limit(record_type: RecordType, field: Field) -> bool:
    """Whether a role can be kept from a field: every custom one, and a built-in one that the product can be without.

    Links to other records are part of both sides' pages, so they stay, as do names and owners.
    """
    if field.custom:
        return True
    fixed = field.always or field.secret or field.type == FieldType.LOOKUP or bool(field.parts)
    return not fixed and field.key != "owner" and field.column not in record_type.name_paths


def _limited(field: Field, levels: Mapping[str, str]) -> Field:
    """A field with what its roles may do less than usual."""
    if not levels or field.always:
        return field
    hidden = {role for role, level in levels.items() if level == FieldLevel.HIDDEN}
    fixed = {role for role, level in levels.items() if level != FieldLevel.EDIT}
    return replace(field, visible_to=field.visible_to - hidden, editable_by=field.editable_by - fixed)


def _seen_by(field: Field, by_key: Mapping[str, Field], above: frozenset[str] = frozenset()) -> frozenset[str]:
    """The roles that see a field: a formula, or what the database computes, is seen by those who see all that it is
    made of, and all that this is made of in turn. `above` are the keys on the way here; a circle ends there."""
    visible = field.visible_to
    above |= {field.key}
    for name in {*field.parts, *formulas.names_of(field.formula)} - above:
        part = by_key.get(name)
        visible &= _seen_by(part, by_key, above) if part is not None else frozenset()
    return visible
