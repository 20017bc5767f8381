"""Old values of a record, from the audit log: what a field was, whether it is that still, and putting it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm import access, queries
from crm.actions.base import action
from crm.audit import change_set
from crm.enums import ChangeSetKind
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import AuditEntry
from crm.records.actions import editable_fields, update_record
from crm.records.customhistory import COLUMN, expanded
from crm.records.history import Group, Reader, Row
from crm.records.registry import Field, FieldType, RecordType, registry
from crm.tenancy.context import Actor


@dataclass(frozen=True, slots=True)
class OldValue:
    """What a field was before one change (`value`, in words `text`), and what it is now.

    `currency` is what an amount was in then. `is_last` says that nobody has changed the field since.
    """

    entry: int
    field: Field
    value: Any
    text: str
    present: Any
    present_text: str
    is_last: bool
    currency: str = ""


class ChangedSince(Conflict):
    """Somebody changed the field after the change whose old value is asked for; `old` says what it is now."""

    code = "changed_since"

    def __init__(self, old: OldValue) -> None:
        super().__init__(_("This was changed again since. Look at the present value before you replace it."))
        self.old = old


def restorable_keys(record_type: RecordType, record: Any, actor: Actor) -> frozenset[str]:
    """The fields of a record whose old values the actor may put back: those they may change."""
    if not access.may_write(record, actor) or record_type.closed(record):
        return frozenset()
    return frozenset(field.key for field in editable_fields(record_type, actor))


def present_value(record: Any, field: Field) -> Any:
    """A field's value as it is now, ids for what it names; of a custom field as it is stored."""
    if field.custom:
        return record.custom.get(field.key)
    return getattr(record, record._meta.get_field(field.column).attname)


def as_value(record_type: RecordType, field: Field, logged: Any) -> Any:
    """What the log holds of a field, as the model holds it."""
    if field.type == FieldType.TAGS:
        return [UUID(tag) for tag in logged or ()]
    if field.custom:
        return logged
    return record_type.model._meta.get_field(field.column).to_python(logged)


def old_value(record_type: RecordType, record: Any, entry_id: int, key: str, actor: Actor) -> OldValue:
    """What a field was before the change that an entry of the log tells.

    Raises NotFound for an entry that is not the record's or says nothing of a field that the actor sees.
    """
    field = next((f for f in record_type.fields_for(actor.role) if f.key == key), None)
    table = record_type.model._meta.db_table
    entry = AuditEntry.objects.filter(pk=entry_id, table_name=table, row_id=record.pk, operation="U").first()
    column = _column_of(record_type, field) if field else ""
    diff = expanded((entry.diff if entry else None) or {})
    if field is None or entry is None or column not in diff:
        raise NotFound(_("This change is not in the history of the record. Reload the page."))
    old, new = diff[column]
    present = present_value(record, field)
    reader = Reader(actor, record_type, record)
    rows = [
        Row(table, record.pk, "U", diff, entry.pk),
        Row(table, record.pk, "U", {column: [_logged(present), None]}),
    ]
    reader.prepare([Group(entry.at, entry.pk, None, "", None, (row,)) for row in rows])
    texts = [next((c.old for c in reader.own(row) if c.key == key), "") for row in rows]
    path = "" if field.custom else field.currency_path
    currency = (diff[path][0] if path in diff else reader.currency_at(entry.pk, path)) if path else ""
    is_last = as_value(record_type, field, new) == present
    return OldValue(entry.pk, field, as_value(record_type, field, old), texts[0], present, texts[1], is_last, currency)


def _column_of(record_type: RecordType, field: Field) -> str:
    """The name that a field's value has in the log; "" for one that is computed or another record's."""
    if field.custom:
        return "" if field.encrypted or field.formula else field.column
    return "" if "__" in field.column else str(record_type.model._meta.get_field(field.column).column)


def _logged(value: Any) -> Any:
    """A present value as the log would hold it."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value) if isinstance(value, UUID) else value


@action
def restore_value(
    record_type: RecordType, pk: UUID | str, entry_id: int, key: str, *, acting: Actor, version: int | None = None
) -> tuple[Any, int]:
    """Puts an old value of a field back, by the type's own update; the record, and the entry that this makes (0: none).

    Raises NotFound; Forbidden for a field the role may not change; Invalid for a value that is not allowed any more;
    ChangedSince where the field was changed again, unless `version` is the record's present one: whoever names it has
    seen the present value.
    """
    record = access.get_writable(record_type.model, pk, acting)
    old = old_value(record_type, record, entry_id, key, acting)
    if key not in restorable_keys(record_type, record, acting):
        by_role = _("“%(field)s” can't be changed by your role.") % {"field": old.field.label}
        raise Forbidden(record_type.closed(record) or by_role)
    if not old.is_last and version != record.version:
        raise ChangedSince(old)
    _check_possible(old, acting)
    with change_set(ChangeSetKind.RESTORE, _("An old value was put back"), acting=acting):
        changed = update_record(record_type, pk, _values(record, old), acting=acting)
    column = COLUMN if old.field.custom else record_type.model._meta.get_field(old.field.column).column
    entries = AuditEntry.objects.filter(table_name=record_type.model._meta.db_table, row_id=record.pk, pk__gt=entry_id)
    made = entries.filter(diff__has_key=column, version__gt=record.version).order_by("-pk").first()
    return changed, made.pk if made else 0


def _check_possible(old: OldValue, acting: Actor) -> None:
    """Raises Invalid for what no update would check: a value that was emptied, a choice that is none any more."""
    field = old.field
    if field.required and old.value in (None, "", []):
        raise Invalid(fields={field.key: _("This can't be empty.")})
    if field.type == FieldType.CHOICE and old.value and str(old.value) not in dict(field.options()):
        raise Invalid(fields={field.key: _("“%(value)s” can't be chosen any more.") % {"value": old.text}})
    if field.type == FieldType.LOOKUP and old.value:
        target = registry.get(field.target).model
        if not access.visible(target, acting).filter(pk=old.value).exists():
            raise Invalid(fields={field.key: _("It was deleted, or you may not have access to it.")})
    if field.type == FieldType.MEMBER and old.value and UUID(str(old.value)) not in dict(queries.members()):
        raise Invalid(fields={field.key: _("%(name)s is not an active member any more.") % {"name": old.text}})


def _values(record: Any, old: OldValue) -> dict[str, Any]:
    """What the update is given: the value, and the currency it was in where that is another one by now."""
    field, value = old.field, old.value
    if field.type == FieldType.TAGS:
        known = queries.tags()
        value = [tag for tag in value if tag in known]
    values = {field.key: value}
    if field.currency_path and old.currency and getattr(record, field.currency_path) != old.currency:
        values[field.currency_path] = old.currency
    return values
