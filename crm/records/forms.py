"""Forms made from the registry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _

from crm import queries
from crm.models import Membership
from crm.records import custom, schema, stored
from crm.records.actions import editable_fields, new_fields
from crm.records.lookup import LookupField
from crm.records.names import Names
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor
from crm.web.fields import DateField, DateTimeField, MoneyField
from crm.web.forms import CUSTOM


def _choices(field: Field, actor: Actor) -> list[tuple[str, str]]:
    if field.type == FieldType.MEMBER:
        return [(str(pk), name) for pk, name in queries.members()]
    if field.type == FieldType.TAGS:
        return [(str(pk), name) for pk, (name, _tone) in queries.tags().items()]
    return field.options()


def _optional(field: Field, choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return choices if field.required else [("", ""), *choices]


def _uuid(value: str) -> UUID | None:
    return UUID(value) if value else None


def form_field(field: Field, actor: Actor, *, currency: str, present: Any = None) -> forms.Field:
    """The form field for one field of a record type. A member who is there no more stays a choice where they are the
    `present` value: else whoever saves another field would put somebody else, or nobody, in their place."""
    common: dict[str, Any] = {"label": field.label, "required": field.required, "help_text": field.help}
    make: dict[FieldType, Callable[[], forms.Field]] = {
        FieldType.LONG_TEXT: lambda: forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), **common),
        FieldType.NUMBER: lambda: forms.DecimalField(**common) if field.custom else forms.IntegerField(**common),
        FieldType.PERCENT: lambda: (
            forms.DecimalField(**common) if field.custom else forms.IntegerField(min_value=0, max_value=100, **common)
        ),
        FieldType.MONEY: lambda: MoneyField(currency=currency, allow_negative=field.custom, **common),
        FieldType.DATE: lambda: DateField(**common),
        FieldType.DATETIME: lambda: DateTimeField(**common),
        FieldType.CHECKBOX: lambda: forms.BooleanField(**{**common, "required": False}),
        FieldType.CHOICE: lambda: forms.ChoiceField(choices=_optional(field, _choices(field, actor)), **common),
        FieldType.MULTI_CHOICE: lambda: forms.MultipleChoiceField(
            choices=field.options(), widget=forms.CheckboxSelectMultiple, **common
        ),
        FieldType.MEMBER: lambda: forms.TypedChoiceField(
            choices=_with_present(_optional(field, _choices(field, actor)), present),
            coerce=_uuid,
            empty_value=None,
            **common,
        ),
        FieldType.TAGS: lambda: forms.TypedMultipleChoiceField(choices=_choices(field, actor), coerce=_uuid, **common),
        FieldType.EMAIL: lambda: forms.EmailField(**common),
        FieldType.URL: lambda: forms.URLField(assume_scheme="https", **common),
        FieldType.LOOKUP: lambda: LookupField(field.target, actor, **common),
    }
    maker = make.get(field.type)
    longest = stored.LONGEST.get(field.type, stored.LONGEST[FieldType.TEXT]) if field.custom else 200
    return maker() if maker else forms.CharField(max_length=longest, **common)


def _with_present(choices: list[tuple[str, str]], present: Any) -> list[tuple[str, str]]:
    if not present or str(present) in dict(choices):
        return choices
    names = Names()
    names.want(Membership, present)
    names.load()
    return [*choices, (str(present), names.of(Membership, present) or _("(not visible to you)"))]


def add_custom(
    form: forms.BaseForm, record_type: str, actor: Actor, *, currency: str, record: Any = None
) -> tuple[str, ...]:
    """Adds the organisation's own fields that the actor's role may write to a form, with the record's values; their
    names in the form. `currency` is what amounts are read in, unless the record's are in another one."""
    kind = schema.record_type(record_type, actor)
    own = [field for field in editable_fields(kind, actor) if field.custom]
    if not own:
        return ()
    values = getattr(record, "custom", None) or {}
    opened = custom.opened(kind, record.pk, actor) if record is not None and any(f.encrypted for f in own) else {}
    for field in own:
        name = CUSTOM + field.key
        code = stored.currency_of(field, values) or currency
        form.fields[name] = form_field(field, actor, currency=code, present=stored.read(field, values))
        if record is None:
            form.initial.setdefault(name, _shown(field, {field.key: field.default}))
        else:
            form.initial.setdefault(name, opened.get(field.key) if field.encrypted else _shown(field, values))
    return tuple(CUSTOM + field.key for field in own)


def _shown(field: Field, values: Mapping[str, Any]) -> Any:
    value = stored.read(field, values)
    return str(value) if isinstance(value, UUID) and field.type == FieldType.MEMBER else value


def custom_values(form: forms.BaseForm, names: Collection[str]) -> dict[str, Any]:
    """What a valid form changes of the organisation's own fields, by key, as actions take it."""
    found: dict[str, Any] = {}
    changed = set(form.changed_data) if names else set()
    for name in changed.intersection(names):
        value, field = form.cleaned_data.get(name), form.fields[name]
        if isinstance(field, MoneyField) and value is not None:
            value = {"amount": value, "currency": field.currency}
        found[name.removeprefix(CUSTOM)] = value
    return found


def form_class(record_type: RecordType, actor: Actor, *, currency: str = "EUR", new: bool = False) -> type[forms.Form]:
    """A form of the fields that the actor's role may write in a record, or a `new` one. Its cleaned data goes to the
    type's actions as it is."""
    written = (new_fields if new else editable_fields)(record_type, actor)
    fields = {f.key: form_field(f, actor, currency=currency) for f in written if not f.custom}
    return type(f"{record_type.key.title()}Form", (forms.Form,), fields)


def initial_of(record_type: RecordType, record: Any, actor: Actor) -> Mapping[str, Any]:
    """A record's present values, for its form."""
    values = {}
    for field in editable_fields(record_type, actor):
        if field.custom:
            continue
        value = getattr(record, record_type.model._meta.get_field(field.column).attname)
        values[field.key] = str(value) if field.type == FieldType.MEMBER and value else value
    return values
