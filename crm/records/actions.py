"""Writing records of any type by the registry: what a type without actions of its own is created and changed by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm import access, queries, rules
from crm.actions.base import action
from crm.events.outbox import emit, record_event
from crm.lib.errors import Conflict, Forbidden, Invalid
from crm.records import custom
from crm.records.registry import Field, FieldType, RecordType, registry
from crm.records.unique import taken_fields
from crm.tenancy.backend.kept import save_columns
from crm.tenancy.context import Actor, elevated


def editable_fields(record_type: RecordType, actor: Actor) -> list[Field]:
    """The fields of a record that this role may change."""
    return list(record_type.remembered(("editable", actor.role), lambda: _editable(record_type, actor)))


def _editable(record_type: RecordType, actor: Actor) -> tuple[Field, ...]:
    return tuple(f for f in new_fields(record_type, actor) if not f.once)


def new_fields(record_type: RecordType, actor: Actor) -> list[Field]:
    """The fields that this role may fill in a new record: those it may change, and those that are written once."""
    return list(record_type.remembered(("new", actor.role), lambda: _new(record_type, actor.role)))


def _new(record_type: RecordType, role: str) -> tuple[Field, ...]:
    return tuple(f for f in record_type.fields_for(role) if f.editable and (not role or role in f.editable_by))


def writable_values(
    record_type: RecordType,
    values: Mapping[str, Any],
    actor: Actor,
    record: Any = None,
    *,
    seen: set[tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """The values of built-in fields by column, of a new record where there is none. Raises Forbidden for a field the
    role may not write, and NotFound for a record that the actor does not see; `seen` remembers those that were looked
    up, where many records are changed."""
    seen = set() if seen is None else seen
    known = new_fields if record is None else editable_fields
    allowed = {field.key: field for field in known(record_type, actor)}
    # An amount is written with its currency, which may be no field of its own.
    currencies = {field.currency_path for field in allowed.values() if field.currency_path and not field.custom}
    for key in values:
        if key not in allowed and key not in currencies:
            raise Forbidden(_("“%(field)s” can't be changed by your role.") % {"field": key})
    for key, value in values.items():
        field = allowed.get(key)
        if field is None or field.type != FieldType.LOOKUP or field.custom or not value:
            continue
        named = (field.target, str(value))
        if str(value) != str(getattr(record, field.column, None)) and named not in seen:
            access.get_visible(registry.get(field.target).model, value, actor)
            seen.add(named)
    plain = {key: value for key, value in values.items() if key not in allowed or not allowed[key].custom}
    return {allowed[key].column if key in allowed else key: value for key, value in plain.items()}


def split_custom(record_type: RecordType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field key as a type's own actions take them: those of custom fields together, under "custom"."""
    own = {field.key for field in record_type.fields if field.custom}
    plain = {key: value for key, value in values.items() if key not in own}
    given = {key: value for key, value in values.items() if key in own}
    return {**plain, "custom": given} if given else plain


def check_owner(record: Any, owner_id: Any, acting: Actor, *, active: Collection[UUID] | None = None) -> None:
    """Raises Forbidden where the record is not the actor's to give away, Invalid for who is no active member.

    `active` are members known to be active, where they were asked for already.
    """
    if str(owner_id) == str(record.owner_id):
        return
    if not rules.may_share(acting, record.owner_id):
        raise Forbidden(_("Only its owner, their manager or an administrator can hand this over."))
    if owner_id not in (queries.active_members([owner_id]) if active is None else active):
        raise Invalid(fields={"owner": _("Choose an active member as the owner.")})


def _check_unique(record: Any) -> None:
    """Raises Invalid where another record has a value that only one may have."""
    if taken := taken_fields(record):
        raise Invalid(fields=dict.fromkeys(taken, _("Another record has this already, and only one may have it.")))


@action
def create_record(record_type: RecordType, values: Mapping[str, Any], *, acting: Actor) -> Any:
    """Makes a record; the creator owns it unless `values` name an owner. Raises Forbidden for what the role may not."""
    if record_type.create is not None:
        return record_type.create(split_custom(record_type, values), acting=acting)
    if not rules.may_edit_anything(acting):
        raise Forbidden(_("You can view this organisation's records, but not add any."))
    data = writable_values(record_type, values, acting)
    if "owner" not in data and "owner_id" not in data and hasattr(record_type.model, "owner"):
        data["owner_id"] = acting.member_id
    made = record_type.model(**data)
    given = split_custom(record_type, values).get("custom", {})
    merged = custom.merge(record_type.key, given, acting=acting)
    custom.settle(made.pk, merged)
    made.custom = merged.values
    _check_unique(made)
    made.save(force_insert=True)
    emit(record_event(record_type.key, "created", made.pk))
    return made


@action
def update_record(
    record_type: RecordType, pk: UUID | str, values: Mapping[str, Any], *, acting: Actor, version: int | None = None
) -> Any:
    """Changes fields of a record; nothing is written where nothing differs.

    Raises NotFound, Forbidden, Invalid, or Conflict when `version` is an older one.
    """
    if record_type.update is not None:
        return record_type.update(pk, split_custom(record_type, values), acting=acting, version=version)
    record = access.get_writable(record_type.model, pk, acting)
    if version is not None and record.version != version:
        raise Conflict(_("Not saved: somebody else changed this meanwhile. Reload to see their changes."))
    data = writable_values(record_type, values, acting, record)
    if "owner_id" in data:
        check_owner(record, data["owner_id"], acting)
    former = {column: getattr(record, column) for column in (*data, "custom")}
    for column, value in data.items():
        setattr(record, column, value)
    given = split_custom(record_type, values).get("custom")
    if given:
        merged = custom.merge(record_type.key, given, acting=acting, present=record.custom)
        custom.settle(record.pk, merged)
        record.custom = merged.values
        data["custom"] = merged.values
    if all(getattr(record, column) == value for column, value in former.items()) and not (given and merged.sealed):
        return record
    _check_unique(record)
    record.version += 1
    with elevated("a record given to somebody else by who may") if "owner_id" in data else nullcontext():
        save_columns(record, [*data, "version", "updated_at"])
    emit(record_event(record_type.key, "updated", record.pk))
    return record


def present_value(record_type: RecordType, pk: UUID | str, field: Field, actor: Actor) -> str:
    """A picklist's value of a record that the actor sees, as text; "" for none. Raises NotFound."""
    record = access.get_visible(record_type.model, pk, actor)
    value = record.custom.get(field.key) if field.custom else getattr(record, field.column)
    return "" if value is None else str(value)
