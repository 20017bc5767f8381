"""Values of an organisation's own fields, on every way in: checked against the schema, merged into a record's `custom`.

An action calls `merge` and `settle` for a record that it saves, in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm import access, queries
from crm.lib import crypto
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.models import Organization, SealedValue, UniqueValue
from crm.records import formulas, schema, stored
from crm.records.registry import Field, FieldType, RecordType, registry
from crm.tenancy.context import Actor

PURPOSE = "custom_field"


@dataclass(slots=True)
class Merged:
    """A record's `custom` with changes in it, and what is kept beside it."""

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
    found = merge_rows(record_type, [(given, present)], acting=acting)[0]
    if isinstance(found, CrmError):
        raise found
    return found


def merge_rows(
    record_type: str, rows: Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]], *, acting: Actor
) -> list[Merged | CrmError]:
    """`merge` for many records, in a fixed number of statements: what it gives or raises for each, in order."""
    kind = schema.record_type(record_type, acting)
    own = {f.key: f for f in kind.fields if f.custom}
    if not own and not any(given for given, _present in rows):
        return [Merged(dict(present or {})) for _given, present in rows]
    currency = base_currency(acting) if any(_needs_currency(own, given) for given, _present in rows) else ""
    if any(present is None for _given, present in rows):
        own = _without_gone_defaults(own)
    found = [_try_merge(own, given, present, acting, currency) for given, present in rows]
    missing = _missing_ids(own, [m for m in found if isinstance(m, Merged)], acting)
    return [_without_missing(m, missing) if isinstance(m, Merged) else m for m in found]


def _without_gone_defaults(own: dict[str, Field]) -> dict[str, Field]:
    """The fields, without the defaults of those that name a member who is not active any more: nobody could add a
    record."""
    named = {f.key: f.default for f in own.values() if f.type == FieldType.MEMBER and f.default}
    there = set(map(str, queries.active_members(named.values())))
    return own | {key: replace(own[key], default=None) for key, pk in named.items() if pk not in there}


def _try_merge(
    own: Mapping[str, Field], given: Mapping[str, Any], present: Mapping[str, Any] | None, acting: Actor, currency: str
) -> Merged | CrmError:
    try:
        merged, errors = _merge_one(own, given, present, acting, currency)
    except Forbidden as error:
        return error
    return Invalid(fields=errors) if errors else merged


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


def base_currency(acting: Actor) -> str:
    """What amounts without a currency are in."""
    return Organization.objects.values_list("base_currency", flat=True).get(pk=acting.org_id)


def _missing_ids(own: Mapping[str, Field], merged: Sequence[Merged], acting: Actor) -> dict[str, set[str]]:
    """By key: members that are not active, and records that the actor does not see."""
    missing = {}
    for candidate in own.values():
        if candidate.type in (FieldType.MEMBER, FieldType.LOOKUP):
            key = candidate.key
            wanted = {m.values[key] for m in merged if key in m.changed and key in m.values}
            missing[key] = wanted - _found(candidate, wanted, acting) if wanted else set()
    return missing


def _without_missing(merged: Merged, missing: Mapping[str, set[str]]) -> Merged | CrmError:
    wrong = [key for key, ids in missing.items() if key in merged.changed and merged.values.get(key) in ids]
    text = _("Not found. It may have been deleted, or you may not have access to it.")
    return Invalid(fields=dict.fromkeys(wrong, text)) if wrong else merged


def _found(candidate: Field, wanted: Collection[str], acting: Actor) -> set[str]:
    if candidate.type == FieldType.MEMBER:
        return set(map(str, queries.active_members(wanted)))
    rows = access.visible(registry.get(candidate.target).model, acting).filter(pk__in=wanted)
    return {str(pk) for pk in rows.values_list("pk", flat=True)}


def settle(record: UUID, merged: Merged) -> None:
    """Writes what is kept beside a record: its encrypted values, and claims on unique ones.

    In the transaction that saves the record. Raises Invalid for a value that another record has, in the recycle bin or
    not.
    """
    for error in settle_rows([(record, merged)]).values():
        raise error


def settle_rows(rows: Sequence[tuple[UUID, Merged]]) -> dict[UUID, Invalid]:
    """`settle` for many records: what it raises, by record. What is refused stays as it was."""
    refused = _claim([(record, field_id, *claim) for record, m in rows for field_id, claim in m.unique.items()])
    sealed = [
        (record, field_id, value) for record, m in rows for field_id, value in m.sealed.items() if record not in refused
    ]
    if sealed:
        SealedValue.objects.filter(_pairs(sealed)).delete()
        new = [
            SealedValue(record=record, field_id=field_id, sealed=value) for record, field_id, value in sealed if value
        ]
        SealedValue.objects.bulk_create(new, batch_size=1000)
    return refused


def _pairs(rows: Iterable[tuple[Any, ...]]) -> Q:
    found = Q(pk__in=[])
    by_field: dict[UUID, list[UUID]] = {}
    for record, field_id, *_rest in rows:
        by_field.setdefault(field_id, []).append(record)
    for field_id, records in by_field.items():
        found |= Q(field_id=field_id, record__in=records)
    return found


def _claim(claims: Sequence[tuple[UUID, UUID, str, bytes | None]]) -> dict[UUID, Invalid]:
    """Claims values for records; who comes second is refused, and keeps the claims it had."""
    if not claims:
        return {}
    rows = UniqueValue.objects.filter(_pairs(claims))
    former = {
        (record, field_id): digest for record, field_id, digest in rows.values_list("record", "field_id", "digest")
    }
    text = _("Another record has this value already; it must be one of a kind.")
    errors: dict[UUID, dict[str, str | Promise]] = {}
    while True:
        rows.delete()
        kept = {pair: digest for pair, digest in former.items() if pair[0] in errors}
        wanted = [claim for claim in claims if claim[3] is not None and claim[0] not in errors]
        # What refused records keep comes first: one that was to have such a value is refused in the next round.
        taken = kept | {(record, field_id): digest for record, field_id, _key, digest in wanted if digest is not None}
        UniqueValue.objects.bulk_create(
            [UniqueValue(record=pair[0], field_id=pair[1], digest=digest) for pair, digest in taken.items()],
            ignore_conflicts=True, batch_size=1000,
        )  # fmt: skip
        held = set(rows.values_list("record", "field_id")) if wanted else set()
        second = [(record, key) for record, field_id, key, _digest in wanted if (record, field_id) not in held]
        for record, key in second:
            errors.setdefault(record, {})[key] = text
        if not second:
            return {record: Invalid(fields=fields) for record, fields in errors.items()}


def sealed_keys(record_type: RecordType, records: Iterable[UUID]) -> dict[UUID, set[str]]:
    """By record the keys of the encrypted fields that it has a value of, also of those that a role does not see."""
    wanted = {f.field_id: f.key for f in record_type.fields if f.encrypted}
    found: dict[UUID, set[str]] = {}
    if wanted:
        rows = SealedValue.objects.filter(record__in=list(records), field_id__in=wanted)
        for record, field_id in rows.values_list("record", "field_id"):
            found.setdefault(record, set()).add(wanted[field_id])
    return found


def opened(record_type: RecordType, record: UUID, actor: Actor) -> dict[str, Any]:
    """The values of a record's encrypted fields that the actor's role sees, by key, decrypted. The caller has seen to
    it that the actor sees the record."""
    wanted = {f.field_id: f.key for f in record_type.fields_for(actor.role) if f.encrypted}
    if not wanted:
        return {}
    rows = SealedValue.objects.filter(record=record, field_id__in=wanted).values_list("field_id", "sealed")
    return {wanted[pk]: orjson.loads(crypto.decrypt_text(actor.org_id, text, PURPOSE)) for pk, text in rows}


def computed(
    record_type: RecordType, values: Mapping[str, Any], actor: Actor, only: Collection[str] | None = None
) -> dict[str, Any]:
    """The results of the formulas that the actor's role sees, for a record's values by field key; `only` of some."""
    return {
        f.key: formulas.result_of(f.formula, values, f.result or "")
        for f in record_type.fields_for(actor.role)
        if f.type == FieldType.FORMULA and (only is None or f.key in only)
    }
