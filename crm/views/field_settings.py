"""Settings of custom fields: a type's fields in order, their forms, who sees them, their way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import access
from crm.actions import fields
from crm.actions.field_choices import ChoicesInUse
from crm.forms.fields import AccessForm, FieldForm
from crm.lib.errors import CrmError, Invalid
from crm.models import CustomField, FieldAccess
from crm.records import schema
from crm.records.registry import FieldType, RecordType, registry
from crm.web.answers import done, refused, sent_data
from crm.web.guards import admins_only
from crm.web.htmx import render_page
from crm.web.urls import path_to

# The types in the order in which they are offered: name, what it is for, icon.
KINDS: dict[FieldType, tuple[Any, Any, str]] = {
    FieldType.TEXT: (gettext_lazy("Text"), gettext_lazy("One line"), "type"),
    FieldType.LONG_TEXT: (gettext_lazy("Long text"), gettext_lazy("Several lines"), "text"),
    FieldType.NUMBER: (gettext_lazy("Number"), gettext_lazy("Whole or decimal"), "hash"),
    FieldType.MONEY: (gettext_lazy("Currency"), gettext_lazy("An amount of money"), "banknote"),
    FieldType.PERCENT: (gettext_lazy("Percent"), gettext_lazy("A share or rate"), "percent"),
    FieldType.DATE: (gettext_lazy("Date"), gettext_lazy("A day"), "calendar"),
    FieldType.DATETIME: (gettext_lazy("Date and time"), gettext_lazy("A moment"), "clock"),
    FieldType.CHECKBOX: (gettext_lazy("Yes or no"), gettext_lazy("A check box"), "square-check"),
    FieldType.CHOICE: (gettext_lazy("Choice"), gettext_lazy("One of a list"), "circle-dot"),
    FieldType.MULTI_CHOICE: (gettext_lazy("Multiple choice"), gettext_lazy("Several of a list"), "list-checks"),
    FieldType.EMAIL: (gettext_lazy("Email"), gettext_lazy("An address"), "mail"),
    FieldType.PHONE: (gettext_lazy("Phone"), gettext_lazy("A number to call"), "phone"),
    FieldType.URL: (gettext_lazy("Web address"), gettext_lazy("A link"), "globe"),
    FieldType.MEMBER: (gettext_lazy("User"), gettext_lazy("A colleague"), "user"),
    FieldType.LOOKUP: (gettext_lazy("Record"), gettext_lazy("A link to another record"), "link"),
    FieldType.FORMULA: (gettext_lazy("Formula"), gettext_lazy("Computed from other fields"), "sigma"),
}
BUILT_IN = {FieldType.TAGS: (gettext_lazy("Tags"), "", "tag")}


def _types() -> list[RecordType]:
    return [known for known in registry if fields.takes_custom_fields(known)]


def _type(type_key: str, actor: Any) -> RecordType:
    if type_key not in {known.key for known in _types()}:
        raise Http404
    return schema.record_type(type_key, actor)


def _row(pk: UUID) -> CustomField:
    row = CustomField.objects.filter(pk=pk).first()
    if row is None:
        raise access.absent(CustomField)
    return row


def _page_of(type_key: str) -> str:
    return path_to("settings_fields_of", type_key)


@require_GET
@admins_only
def field_list(request: HttpRequest, type_key: str = "") -> HttpResponse:
    """The fields of a record type: the built-in ones, the organisation's own by section, and deleted ones."""
    r: Any = request
    types = _types()
    kind = _type(type_key or types[0].key, r.actor)
    rows = list(CustomField.objects.filter(record_type=kind.key).order_by("position", "pk"))
    sections: dict[str, list[CustomField]] = {}
    for row in rows:
        sections.setdefault(row.group, []).append(row)
    limited = FieldAccess.objects.filter(record_type=kind.key).values_list("field_key", flat=True)
    since = timezone.now() - timedelta(days=fields.KEPT_DAYS)
    deleted = CustomField.everything.filter(record_type=kind.key, deleted_at__gt=since).order_by("-deleted_at")
    context = {
        "type": kind,
        "types": [(known, _count(known, r.actor)) for known in types],
        "built_in": [(f, schema.may_limit(kind, f)) for f in kind.fields if not f.custom and not f.secret],
        "sections": list(sections.items()),
        "limited": set(limited),
        "deleted": list(deleted),
        "kinds": {**KINDS, **BUILT_IN},
    }
    return render_page(request, "settings/fields.html", context, block="settings")


def _count(kind: RecordType, actor: Any) -> int:
    return sum(not f.secret for f in schema.record_type(kind.key, actor).fields)


@require_http_methods(["GET", "POST"])
@admins_only
def field_new(request: HttpRequest, type_key: str) -> HttpResponse:
    """Adds a field: first its type is chosen, then `kind` says which form is shown."""
    r: Any = request
    record_type = _type(type_key, r.actor)
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        context = {"type": record_type, "kinds": KINDS, "back": _page_of(type_key)}
        return render_page(request, "settings/field_kinds.html", context, block="form")
    form = FieldForm(
        request.POST or None, record_type=type_key, kind=kind, actor=r.actor, currency=r.organization.base_currency,
        row=None,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            made = fields.create_field(type_key, form.given(), acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("%(field)s added") % {"field": made.label}, _page_of(type_key))
    title = _("New field: %(kind)s") % {"kind": KINDS[FieldType(kind)][0]}
    return _dialog(request, form, title, _("Add field"), type_key)


@require_http_methods(["GET", "POST"])
@admins_only
def field_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Changes a field."""
    r: Any = request
    row = _row(pk)
    form = FieldForm(
        request.POST or None, initial=FieldForm.values_of(row), record_type=row.record_type, kind=row.kind,
        actor=r.actor, currency=r.organization.base_currency, row=row,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            fields.update_field(pk, form.given(), acting=r.actor)
        except CrmError as error:
            if isinstance(error, ChoicesInUse):
                form.ask_instead(error.labels)
            refused(form, error)
        else:
            return done(request, _("Saved"), _page_of(row.record_type))
    return _dialog(request, form, _("Edit %(name)s") % {"name": row.label}, _("Save"), row.record_type)


@require_http_methods(["GET", "POST"])
@admins_only
def field_access(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who sees and edits a field, by role."""
    r: Any = request
    row = _row(pk)
    known = FieldAccess.objects.filter(record_type=row.record_type, field_key=row.key).values_list("role", "level")
    form = AccessForm(request.POST or None, levels=dict(known))
    if request.method == "POST" and form.is_valid():
        fields.set_field_access(row.record_type, row.key, form.cleaned_data, acting=r.actor)
        return done(request, _("Saved"), _page_of(row.record_type))
    return _dialog(request, form, _("Who sees %(name)s") % {"name": row.label}, _("Save"), row.record_type)


@require_http_methods(["GET", "POST"])
@admins_only
def built_in_access(request: HttpRequest, type_key: str, key: str) -> HttpResponse:
    """Who sees and edits a built-in field, by role."""
    r: Any = request
    kind = _type(type_key, r.actor)
    field = next((f for f in kind.fields if f.key == key and not f.custom and schema.may_limit(kind, f)), None)
    if field is None:
        raise Http404
    known = FieldAccess.objects.filter(record_type=kind.key, field_key=key).values_list("role", "level")
    form = AccessForm(request.POST or None, levels=dict(known))
    if request.method == "POST" and form.is_valid():
        fields.set_field_access(kind.key, key, form.cleaned_data, acting=r.actor)
        return done(request, _("Saved"), _page_of(kind.key))
    return _dialog(request, form, _("Who sees %(name)s") % {"name": field.label}, _("Save"), kind.key)


@require_POST
@admins_only
def field_deletion(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hides a field; it can be restored for 30 days."""
    r: Any = request
    row = fields.delete_field(pk, acting=r.actor)
    text = _("%(field)s is hidden. It can be restored for %(days)d days.")
    return done(request, text % {"field": row.label, "days": fields.KEPT_DAYS}, _page_of(row.record_type))


@require_POST
@admins_only
def field_restoration(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Shows a deleted field again."""
    r: Any = request
    row = fields.restore_field(pk, acting=r.actor)
    return done(request, _("%(field)s is back") % {"field": row.label}, _page_of(row.record_type))


@require_http_methods(["PUT"])
@admins_only
def field_order(request: HttpRequest, type_key: str) -> HttpResponse:
    """Puts the fields into an order: `order` holds their ids."""
    r: Any = request
    ids = sent_data(request).getlist("order")
    if not all(access.is_uuid(one) for one in ids):
        raise Invalid
    fields.order_fields(type_key, [UUID(one) for one in ids], acting=r.actor)
    return HttpResponse(status=204)


def _dialog(request: HttpRequest, form: Any, title: str, submit: str, type_key: str) -> HttpResponse:
    context = {"form": form, "title": title, "submit": submit, "back": _page_of(type_key)}
    return render_page(request, "settings/field_form.html", context, block="form", status=422 if form.errors else 200)
