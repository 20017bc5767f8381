"""Values of an organisation's own fields, on every way in: checked against the schema, merged into a record's `custom`.

An action calls `merge` before it saves a record, and `settle` after it, in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm import access
from crm.lib import crypto
from crm.lib.errors import Forbidden, Invalid
from crm.models import Membership, Organization, SealedValue, UniqueValue
from crm.records import formulas, schema, stored
from crm.records.registry import Field, FieldType, RecordType, registry
from crm.tenancy.context import Actor

PURPOSE = "custom_field"


@dataclass(slots=True)
class Merged:
    """A record's `custom` with changes in it, and what is kept beside it once the record is saved."""

    values: dict[str, Any]
    changed: list[str] = field(default_factory=list)  # keys
    unique: dict[UUID, tuple[str, bytes | None]] = field(default_factory=dict)  # by field: key, digest
    sealed: dict[UUID, str | None] = field(default_factory=dict)  # by field: the encrypted value


def merge(
    record_type: str, given: Mapping[str, Any], *, acting: Actor, present: Mapping[str, Any] | None = None
) -> Merged:
    """`present` (a record's `custom`; None for a new record) with the `given` values by key in it.

    An empty value takes one away. Raises Forbidden for a key that is unknown or not for the actor's role, Invalid with
    a message for each field whose value is wrong, or missing though required.
    """
    return merge_many(record_type, [(given, present)], acting=acting)[0]


def merge_many(
    record_type: str, rows: Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]], *, acting: Actor
) -> list[Merged]:
    """`merge` for many records, in a fixed number of statements. One wrong row refuses all.

    The keys of Invalid.fields are then "<row index>.<key>".
    """
    kind = schema.record_type(record_type, acting)
    own = {f.key: f for f in kind.fields if f.custom}
    if not own and not any(given for given, _present in rows):
        return [Merged(dict(present or {})) for _given, present in rows]
    currency = _base_currency(acting) if any(_needs_currency(own, given) for given, _present in rows) else ""
    merged, errors = [], {}
    for index, (given, present) in enumerate(rows):
        made, wrong = _merge_one(own, given, present, acting, currency)
        merged.append(made)
        errors |= {(f"{index}.{key}" if len(rows) > 1 else key): text for key, text in wrong.items()}
    errors |= _unknown_ids(own, merged, acting)
    if errors:
        raise Invalid(fields=errors)
    return merged


def _merge_one(
    own: Mapping[str, Field], given: Mapping[str, Any], present: Mapping[str, Any] | None, acting: Actor, currency: str
) -> tuple[Merged, dict[str, str | Promise]]:
    merged, errors = Merged(dict(present or {})), {}
    if present is None:
        defaults = {f.key: f.default for f in own.values() if f.default is not None and f.key not in given}
        given = {**defaults, **given}
    else:
        defaults = {}
    for key, value in given.items():
        candidate = _writable(own, key, acting) if key not in defaults else own[key]
        try:
            _put(merged, candidate, stored.stored(candidate, value, acting, currency=currency), acting)
        except stored.BadValueError as error:
            errors[key] = str(error)
    for candidate in own.values():
        asked = candidate.required and (present is None or candidate.key in given) and _may_write(candidate, acting)
        filled = candidate.key in merged.values or merged.sealed.get(candidate.field_id)
        if asked and not filled and candidate.key not in errors:
            errors[candidate.key] = _("“%(field)s” is required.") % {"field": candidate.label}
    return merged, errors


def _put(merged: Merged, candidate: Field, value: Any, acting: Actor) -> None:
    if candidate.encrypted:
        text = None if value is None else orjson.dumps(value).decode()
        merged.sealed[candidate.field_id] = text and crypto.encrypt(acting.org_id, text, PURPOSE)
        merged.changed.append(candidate.key)
        return
    if merged.values.get(candidate.key) == value:
        return
    merged.changed.append(candidate.key)
    if value is None:
        merged.values.pop(candidate.key, None)
    else:
        merged.values[candidate.key] = value
    if candidate.unique:
        merged.unique[candidate.field_id] = (candidate.key, None if value is None else digest_of(value))


def digest_of(value: Any) -> bytes:
    """What two equal values of a unique field have in common: the SHA-256 of the value, text without case."""
    same = value.casefold() if isinstance(value, str) else value
    return hashlib.sha256(orjson.dumps(same, option=orjson.OPT_SORT_KEYS)).digest()


def _may_write(candidate: Field, acting: Actor) -> bool:
    return not acting.role or acting.role in candidate.editable_by & candidate.visible_to


def _writable(own: Mapping[str, Field], key: str, acting: Actor) -> Field:
    candidate = own.get(key)
    if candidate is None or (acting.role and acting.role not in candidate.visible_to):
        raise Forbidden(_("“%(field)s” can't be changed here.") % {"field": key})
    if not candidate.editable or not _may_write(candidate, acting):
        raise Forbidden(_("“%(field)s” can't be changed by your role.") % {"field": candidate.label})
    return candidate


def _needs_currency(own: Mapping[str, Field], given: Mapping[str, Any]) -> bool:
    return any(key in own and own[key].type == FieldType.MONEY and given[key] not in (None, "") for key in given)


def _base_currency(acting: Actor) -> str:
    return Organization.objects.values_list("base_currency", flat=True).get(pk=acting.org_id)


def _unknown_ids(own: Mapping[str, Field], merged: Sequence[Merged], acting: Actor) -> dict[str, str | Promise]:
    """Messages for members that are not active and records that the actor does not see."""
    errors: dict[str, str | Promise] = {}
    for candidate in own.values():
        if candidate.type not in (FieldType.MEMBER, FieldType.LOOKUP):
            continue
        wanted = {m.values[candidate.key] for m in merged if candidate.key in m.changed and candidate.key in m.values}
        missing = wanted - _found(candidate, wanted, acting) if wanted else set()
        for index, one in enumerate(merged):
            if candidate.key in one.changed and one.values.get(candidate.key) in missing:
                name = f"{index}.{candidate.key}" if len(merged) > 1 else candidate.key
                errors[name] = _("Not found. It may have been deleted, or you may not have access to it.")
    return errors


def _found(candidate: Field, wanted: Collection[str], acting: Actor) -> set[str]:
    if candidate.type == FieldType.MEMBER:
        rows: Any = Membership.objects.filter(active=True)
    else:
        rows = access.visible(registry.get(candidate.target).model, acting)
    return {str(pk) for pk in rows.filter(pk__in=wanted).values_list("pk", flat=True)}


def settle(record: UUID, merged: Merged) -> None:
    """`settle_many` for one record."""
    settle_many([(record, merged)])


def settle_many(rows: Sequence[tuple[UUID, Merged]]) -> None:
    """Writes what is kept beside saved records: encrypted values, and claims on unique ones.

    Raises Invalid for a value that another record has, in the recycle bin or not.
    """
    _claim([(record, field_id, *claim) for record, m in rows for field_id, claim in m.unique.items()], len(rows) > 1)
    sealed = [(record, field_id, value) for record, m in rows for field_id, value in m.sealed.items()]
    if sealed:
        SealedValue.objects.filter(_pairs(sealed)).delete()
        SealedValue.objects.bulk_create(
            [
                SealedValue(record=record, field_id=field_id, sealed=value)
                for record, field_id, value in sealed
                if value
            ],
            batch_size=1000,
        )


def _pairs(rows: Iterable[tuple[Any, ...]]) -> Q:
    found = Q(pk__in=[])
    by_field: dict[UUID, list[UUID]] = {}
    for record, field_id, *_rest in rows:
        by_field.setdefault(field_id, []).append(record)
    for field_id, records in by_field.items():
        found |= Q(field_id=field_id, record__in=records)
    return found


def _claim(claims: Sequence[tuple[UUID, UUID, str, bytes | None]], several: bool) -> None:
    if not claims:
        return
    UniqueValue.objects.filter(_pairs(claims)).delete()
    wanted = [claim for claim in claims if claim[3] is not None]
    UniqueValue.objects.bulk_create(
        [UniqueValue(record=record, field_id=field_id, digest=digest) for record, field_id, _key, digest in wanted],
        ignore_conflicts=True, batch_size=1000,
    )  # fmt: skip
    held = set(UniqueValue.objects.filter(_pairs(wanted)).values_list("record", "field_id")) if wanted else set()
    records = list(dict.fromkeys(claim[0] for claim in claims))
    errors: dict[str, str | Promise] = {}
    for record, field_id, key, _digest in wanted:
        if (record, field_id) not in held:
            name = f"{records.index(record)}.{key}" if several else key
            errors[name] = _("Another record has this value already; it must be one of a kind.")
    if errors:
        raise Invalid(fields=errors)


def opened(record_type: RecordType, record: UUID, actor: Actor) -> dict[str, Any]:
    """The values of a record's encrypted fields that the actor's role sees, by key, decrypted. The caller has seen to
    it that the actor sees the record."""
    wanted = {f.field_id: f.key for f in record_type.fields_for(actor.role) if f.encrypted}
    if not wanted:
        return {}
    rows = SealedValue.objects.filter(record=record, field_id__in=wanted).values_list("field_id", "sealed")
    return {wanted[pk]: orjson.loads(crypto.decrypt_text(actor.org_id, text, PURPOSE)) for pk, text in rows}


def computed(record_type: RecordType, values: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The results of the formulas that the actor's role sees, for a record's values by field key."""
    return {
        f.key: formulas.result_of(f.formula, values)
        for f in record_type.fields_for(actor.role)
        if f.type == FieldType.FORMULA
    }
