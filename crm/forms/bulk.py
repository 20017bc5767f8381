"""Forms of bulk actions: made from the registry, for many records of a type at once."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _

from crm.enums import BulkKind
from crm.records.bulk import fields_for_many
from crm.records.forms import form_field
from crm.records.registry import Field, FieldType, RecordType
from crm.records.tagnames import TagNamesField
from crm.tenancy.context import Actor
from crm.web.fields import MoneyField


def field_for(kind: RecordType, what: str, acting: Actor, chosen: str = "") -> Field | None:
    """The field that a bulk action writes, where the actor may: `chosen` by its key for "set", else the one of its
    kind; None where there is none."""
    fields = fields_for_many(kind, acting)
    match what:
        case BulkKind.ASSIGN:
            return next((f for f in fields if f.type == FieldType.MEMBER and f.column == "owner_id"), None)
        case BulkKind.TAG | BulkKind.UNTAG:
            return next((f for f in fields if f.type == FieldType.TAGS), None)
        case BulkKind.STAGE:
            return next((f for f in fields if f.key == kind.bulk.stage), None)
        case BulkKind.SET:
            return next((f for f in settable(kind, acting) if f.key == chosen), None)
    return None


def settable(kind: RecordType, acting: Actor) -> list[Field]:
    """The fields of "Set a field": those without an action of their own."""
    own = {kind.bulk.stage, kind.bulk.stage_reason} - {""}
    return [
        f
        for f in fields_for_many(kind, acting)
        if f.key not in own and f.type != FieldType.TAGS and f.column != "owner_id"
    ]


def bulk_form(
    kind: RecordType, what: str, field: Field | None, acting: Actor, *, currency: str, data: Any = None
) -> forms.Form:
    """The form of a bulk action; without a field it asks for nothing."""
    form = forms.Form(data, auto_id="bulk-%s")
    if field is None:
        return form
    if what == BulkKind.TAG:
        form.fields["tags"] = TagNamesField(label=field.label, required=True)
    elif what == BulkKind.UNTAG:
        form.fields["tags"] = form_field(field, acting, currency=currency)
        form.fields["tags"].required = True
    else:
        form.fields[field.key] = form_field(field, acting, currency=currency)
    if what in (BulkKind.ASSIGN, BulkKind.STAGE):
        form.fields[field.key].required = True
    if what == BulkKind.STAGE and kind.bulk.stage_reason:
        reason = kind.field(kind.bulk.stage_reason)
        text = _("Needed where records are lost.")
        form.fields[reason.key] = forms.CharField(label=reason.label, required=False, max_length=120, help_text=text)
    return form


def values_of(form: forms.Form, kind: RecordType, field: Field | None) -> dict[str, Any]:
    """What a valid form gives, as a run keeps it: plain values by field key, amounts with their currency."""
    found = {name: _plain(value) for name, value in form.cleaned_data.items()}
    control = form.fields.get(field.key) if field is not None else None
    if field is not None and isinstance(control, MoneyField) and found[field.key] is not None:
        if field.custom:
            found[field.key] = {"amount": found[field.key], "currency": control.currency}
        else:
            found[field.currency_path] = control.currency
    if not found.get(kind.bulk.stage_reason, True):
        del found[kind.bulk.stage_reason]
    return found


def _plain(value: Any) -> Any:
    """A cleaned value as JSON has it."""
    match value:
        case list() | tuple() | set():
            return [_plain(item) for item in value]
        case UUID() | Decimal():
            return str(value)
        case date() | datetime():
            return value.isoformat()
    return value
