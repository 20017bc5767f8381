"""Changing many records at once: the set-based sibling of `crm.records.actions.update_record`.

The rules are those of the single actions: a type's `Bulk.apply` puts values into locked records as its `update` would,
and one statement writes all of them. Records are Edits on their way; one that breaks a rule carries its error, and the
others go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access, queries
from crm.events import emit_batch
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.records import custom
from crm.records.actions import check_owner, editable_fields, split_custom, writable_values
from crm.records.bulk_queries import write_rows
from crm.records.limits import check_writable
from crm.records.registry import Field, FieldType, RecordType
from crm.records.unique import unique_while_live
from crm.tenancy.context import Actor, elevated

KEPT = ("id", "version", "updated_at")  # columns that no edit names


@dataclass(slots=True)
class Edit:
    """A locked record and what it is to get, `values` by field key (those of custom fields under "custom").

    `before` holds the columns as they were, `changed` the names of those that an edit has changed when it is written.
    `extra` is the type's own. An edit with an `error` is not written.
    """

    record: Any
    values: dict[str, Any]
    error: CrmError | None = None
    before: dict[str, Any] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    extra: Any = None

    def __post_init__(self) -> None:
        self.before = {name: getattr(self.record, name) for name in columns_of(type(self.record))}

    @property
    def open(self) -> bool:
        """Whether nothing has refused the edit."""
        return self.error is None

    def moved(self, column: str) -> bool:
        """Whether a column of the record is another one than before."""
        return bool(getattr(self.record, column) != self.before[column])


def columns_of(model: type[Model]) -> tuple[str, ...]:
    """The columns of a model that can be written, by `attname`."""
    return tuple(f.attname for f in model._meta.concrete_fields if not f.generated)


def locked(kind: RecordType, ids: Collection[UUID], acting: Actor) -> list[Any]:
    """Those of some records that the actor may change, locked in the order of their ids."""
    model = kind.model
    rows = model._default_manager.filter(access.writable_q(model, acting), pk__in=ids, deleted_at__isnull=True)
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def fields_for_many(kind: RecordType, acting: Actor) -> list[Field]:
    """The fields that may get one value in many records: what each has for itself alone is none of them."""
    return list(kind.remembered(("bulk", acting.role), lambda: _for_many(kind, acting)))


def _for_many(kind: RecordType, acting: Actor) -> tuple[Field, ...]:
    alone = {name for constraint in unique_while_live(kind.model) for name in constraint.fields}
    return tuple(
        f
        for f in editable_fields(kind, acting)
        if f.bulk and not f.unique and not f.encrypted and f.path not in alone and f.key not in alone
    )


def change(kind: RecordType, edits: Sequence[Edit], acting: Actor) -> None:
    """Changes locked records by the rules of their type, and writes those that differ; the others carry their error.

    A type whose `update` has rules of its own and no set-based sibling is changed by it, record by record.
    """
    if kind.bulk.apply is None and kind.update is not None:
        _update_each(kind, edits, acting)
        return
    if kind.bulk.apply is not None:
        _refuse_closed(kind, edits, acting)
        kind.bulk.apply([edit for edit in edits if edit.open], acting)
    else:
        _apply(kind, edits, acting)
    save(kind, [edit for edit in edits if edit.open], acting)


def _refuse_closed(kind: RecordType, edits: Sequence[Edit], acting: Actor) -> None:
    """Refuses all where they name a field that the role may not change: asked with every part of a run, for an admin
    may have closed it since that began."""
    try:
        check_writable(kind.key, {key for edit in edits for key in edit.values} - {"custom"}, acting)
    except CrmError as error:
        for edit in edits:
            edit.error = error


def _update_each(kind: RecordType, edits: Sequence[Edit], acting: Actor) -> None:
    """Changes each record by the type's own action, which writes and tells by itself."""
    assert kind.update is not None
    for edit in edits:
        try:
            edit.record = kind.update(edit.record.pk, edit.values, acting=acting)
        except CrmError as error:
            edit.error = error
        else:
            edit.changed = _changed(kind, edit)


def _changed(kind: RecordType, edit: Edit) -> tuple[str, ...]:
    return tuple(name for name in columns_of(kind.model) if name not in KEPT and edit.moved(name))


def save(kind: RecordType, edits: Sequence[Edit], acting: Actor) -> None:
    """Writes what differs in locked records, in one statement, and tells the others of it, a batch at a time."""
    for edit in edits:
        edit.changed = _changed(kind, edit)
    done = [edit for edit in edits if edit.changed]
    if not done:
        return
    columns = [name for name in columns_of(kind.model) if any(name in edit.changed for edit in done)]
    now = timezone.now()
    handed = "owner_id" in columns and acting.read != "all"
    with elevated("records changed by who may, and given to others with that") if handed else nullcontext():
        write_rows(kind.model, columns, [_row(edit, columns) for edit in done], now=now)
        for edit in done:
            edit.record.version, edit.record.updated_at = edit.before["version"] + 1, now
        (kind.bulk.written or _written(kind))(done, acting)


def _row(edit: Edit, columns: Sequence[str]) -> dict[str, Any]:
    return {"id": edit.record.pk, **{name: getattr(edit.record, name) for name in columns}}


def _written(kind: RecordType) -> Any:
    """What a type that says nothing tells: which records changed, and in what."""

    def tell(edits: Sequence[Edit], _acting: Actor) -> None:
        emit_batch(f"{kind.key}.updated", [edit.record.pk for edit in edits], fields=columns_changed(edits))

    return tell


def columns_changed(edits: Iterable[Edit]) -> list[str]:
    """The columns that any of some written edits has changed."""
    return sorted({name for edit in edits for name in edit.changed})


# ---------------------------------------------------------------- types without rules of their own


def _apply(kind: RecordType, edits: Sequence[Edit], acting: Actor) -> None:
    """What update_record does to one record, for many."""
    alone = {name for constraint in unique_while_live(kind.model) for name in constraint.fields}
    seen: set[tuple[str, str]] = set()
    active = queries.active_members({edit.values.get("owner") for edit in edits})
    for edit in edits:
        try:
            plain = {key: value for key, value in edit.values.items() if key != "custom"}
            data = writable_values(kind, plain, acting, edit.record, seen=seen)
            if alone & data.keys():
                raise Invalid(_("Only one record may have such a value. Change it on the record's own page."))
            if "owner_id" in data:
                check_owner(edit.record, data["owner_id"], acting, active=active)
            for column, value in data.items():
                setattr(edit.record, column, value)
        except CrmError as error:
            edit.error = error
    put_custom(kind.key, edits, acting)


def put_custom(record_type: str, edits: Sequence[Edit], acting: Actor) -> None:
    """Puts values of the organisation's own fields into the records of edits, in a fixed number of statements."""
    left = [edit for edit in edits if edit.open and edit.values.get("custom")]
    if not left:
        return
    merged = custom.merge_rows(
        record_type, [(edit.values["custom"], edit.record.custom) for edit in left], acting=acting
    )
    settled = []
    for edit, found in zip(left, merged, strict=True):
        if isinstance(found, CrmError):
            edit.error = found
        else:
            edit.record.custom = found.values
            settled.append((edit.record.pk, found))
    refused = custom.settle_rows(settled)
    for edit in left:
        edit.error = edit.error or refused.get(edit.record.pk)


# ---------------------------------------------------------------- values on their way through a run


def checked_values(kind: RecordType, values: dict[str, Any], acting: Actor) -> dict[str, Any]:
    """Values for many records, as a run keeps them. Raises Forbidden for a field that is not for that or the role."""
    allowed = {f.key: f for f in fields_for_many(kind, acting)}
    currencies = {f.currency_path for f in allowed.values() if f.currency_path and not f.custom}
    extra = {kind.bulk.stage_reason} - {""}
    for key in values:
        if key not in allowed and key not in currencies | extra:
            raise Forbidden(_("“%(field)s” can't be changed in many records at once.") % {"field": key})
    return values


def read_values(kind: RecordType, kept: dict[str, Any]) -> dict[str, Any]:
    """The values that a run keeps, as actions take them; those of custom fields together under "custom"."""
    return split_custom(kind, {key: _read(kind, key, value) for key, value in kept.items()})


def _read(kind: RecordType, key: str, value: Any) -> Any:
    known = next((f for f in kind.fields if f.key == key), None)
    if known is None or known.custom:
        return value
    if known.type == FieldType.TAGS:
        return [UUID(tag) for tag in value]
    return kind.model._meta.get_field(known.column).to_python(value)
