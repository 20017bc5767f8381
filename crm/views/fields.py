"""One field of a record as a resource: its value, its form, and a change of it. For every record type.

It stands on the record's page, or with `?cell=1` in a cell of a list.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from crm import access, queries
from crm.actions.tags import resolve_tags
from crm.lib.errors import Conflict, Forbidden, Invalid, MoreNeeded
from crm.records import actions, schema, showing, stored
from crm.records.cell import WIDE, cell_html
from crm.records.conflicts import Meanwhile, meanwhile
from crm.records.forms import form_field
from crm.records.lookup import LookupField
from crm.records.registry import Field, FieldType, RecordType
from crm.records.tagnames import TagNamesField
from crm.tenancy.context import Actor
from crm.views.more import ask_more, more_url
from crm.views.records import url_for
from crm.web import props
from crm.web.answers import sent_data
from crm.web.fields import MoneyField
from crm.web.forms import add_error
from crm.web.htmx import close_dialog, hx_redirect, is_partial, render_page, targets


class FieldForm(forms.Form):
    """The form of one field; the field itself is added per request."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


@require_http_methods(["GET", "POST", "PATCH"])
def record_field(request: HttpRequest, type_key: str, pk: str, key: str) -> HttpResponse:
    """A field's value; with ?edit=1 its form; POST or PATCH changes it, unless somebody else has meanwhile."""
    r: Any = request
    record_type, field = _field(type_key, key, r.actor)
    record = access.get_visible(record_type.model, pk, r.actor, *props.relations(record_type, [key]))
    show = cell_html if _in_cell(request) else _value
    if request.method == "GET" and "edit" not in request.GET:
        return HttpResponse(show(record_type, field, record, r.actor))
    _check_editable(record_type, record, field, r.actor)
    data = sent_data(request) if request.method != "GET" else None
    form = _form(record_type, record, field, r, data)
    if request.method == "GET":
        return _page(request, record_type, record, field, form)
    if not form.is_valid():
        return _page(request, record_type, record, field, form, status=422)
    try:
        saved, clash = _save(record_type, record.pk, field, form, r.actor)
    except Invalid as error:
        more = more_url(record_type, record.pk, key, form.cleaned_data[key], record.version)
        if isinstance(error, MoreNeeded) and more:
            return ask_more(request, more, show(record_type, field, record, r.actor))
        if key not in error.fields and error.fields:
            # An action may name the column's whole group ("emails"); on this form there is one field.
            error.fields = {key: next(iter(error.fields.values()))}
        add_error(form, error)
        return _page(request, record_type, record, field, form, status=422)
    if clash:
        record = access.get_visible(record_type.model, pk, r.actor, *props.relations(record_type, [key]))
        return _page(request, record_type, record, field, form, clash, status=422)
    return (
        _saved_cell(request, record_type, field, saved)
        if _in_cell(request)
        else _saved(request, record_type, field, pk)
    )


def _in_cell(request: HttpRequest) -> bool:
    return "cell" in request.GET


def _field(type_key: str, key: str, actor: Actor) -> tuple[RecordType, Field]:
    try:
        record_type = schema.record_type(type_key, actor)
        field = record_type.field(key)
    except KeyError:
        raise Http404 from None
    if field not in record_type.fields_for(actor.role):
        raise Http404
    return record_type, field


def _check_editable(record_type: RecordType, record: Any, field: Field, actor: Actor) -> None:
    if not access.may_write(record, actor):
        raise access.absent(record_type.model)
    if field not in actions.editable_fields(record_type, actor):
        raise Forbidden
    if reason := record_type.closed(record):
        raise Forbidden(reason)


def _form(record_type: RecordType, record: Any, field: Field, request: Any, data: Any) -> FieldForm:
    own = showing.own_values(record_type, record, request.actor) if field.custom else {}
    currency = stored.currency_of(field, record.custom) if field.custom else getattr(record, field.currency_path, "")
    currency = currency or request.organization.base_currency
    initial: dict[str, Any] = {"version": record.version}
    control: forms.Field
    if field.type == FieldType.TAGS:
        control = TagNamesField(label=field.label, required=False)
        known = queries.tags()
        initial[field.key] = [known[tag][0] for tag in getattr(record, field.column) if tag in known]
    elif field.type == FieldType.LOOKUP:
        control = LookupField(field.target, request.actor, label=field.label, required=field.required)
        initial[field.key] = own.get(field.key) if field.custom else getattr(record, field.column)
    else:
        value = own.get(field.key) if field.custom else getattr(record, field.column)
        control = form_field(field, request.actor, currency=currency, present=value)
        initial[field.key] = str(value) if field.type == FieldType.MEMBER else value
    form = FieldForm(data, initial=initial, auto_id=f"f-{field.key}-%s")
    form.fields[field.key] = control
    return form


def _save(
    record_type: RecordType, pk: Any, field: Field, form: FieldForm, actor: Actor
) -> tuple[Any, Meanwhile | None]:
    """Writes the field and gives the record; or what somebody else did to the field meanwhile, and writes nothing.
    Their changes of other fields do not matter."""
    value = form.cleaned_data[field.key]
    if field.type == FieldType.TAGS:
        value = resolve_tags([value], acting=actor)[0]
    control = form.fields[field.key]
    if field.custom and isinstance(control, MoneyField) and value is not None:
        value = {"amount": value, "currency": control.currency}
    version = form.cleaned_data["version"]
    try:
        return actions.update_record(record_type, pk, {field.key: value}, acting=actor, version=version), None
    except Conflict:
        if field.encrypted:
            raise  # the log does not say whether it was this field that somebody changed
        record = access.get_visible(record_type.model, pk, actor)
        clash = meanwhile(record_type, record, version, actor)
        if clash is None:
            raise
        if clash.touches(field.key):
            return record, clash
    return actions.update_record(record_type, pk, {field.key: value}, acting=actor, version=record.version), None


def _value(record_type: RecordType, field: Field, record: Any, actor: Actor) -> str:
    tags = queries.tags() if field.type == FieldType.TAGS else {}
    made = props.Props(record_type, record, actor, tags, may_write=access.may_write(record, actor))
    return made.value(field, focus=True)


def _saved(request: Any, record_type: RecordType, field: Field, pk: str) -> HttpResponse:
    """The new value; "recordChanged" tells the rest of the page. A record handed over may be gone from view."""
    joined = props.relations(record_type, [field.key])
    rows = access.visible(record_type.model, request.actor).filter(pk=pk)
    record = (rows.select_related(*joined) if joined else rows).first()
    if record is None or not is_partial(request):
        return hx_redirect(request, _page_of(record_type, record))
    if field.type == FieldType.LOOKUP:
        response = close_dialog()
        response["HX-Refresh"] = "true"
        return response
    response = HttpResponse(_value(record_type, field, record, request.actor))
    response["HX-Trigger"] = "recordChanged"
    return response


def _saved_cell(request: Any, record_type: RecordType, field: Field, record: Any) -> HttpResponse:
    """The cell's new content; to the dialog, that the cell has to be asked for. Of a record that was handed over and is
    gone from view, "recordGone" tells the list."""
    if (
        field.type == FieldType.MEMBER
        and not access.visible(record_type.model, request.actor).filter(pk=record.pk).exists()
    ):
        return close_dialog(_told("recordGone", record, field))
    if field.type in WIDE:
        # First, as what a dialog's form sends when it is closed is not heard any more.
        return close_dialog(_told("cellChanged", record, field))
    return HttpResponse(cell_html(record_type, field, record, request.actor))


def _told(event: str, record: Any, field: Field) -> HttpResponse:
    return trigger_client_event(HttpResponse(status=204), event, {"id": str(record.pk), "key": field.key})


def _page_of(record_type: RecordType, record: Any) -> str:
    return url_for(record_type, "detail", record.pk) if record else url_for(record_type, "list")


def _page(
    request: HttpRequest,
    record_type: RecordType,
    record: Any,
    field: Field,
    form: FieldForm,
    clash: Meanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    if clash:
        # Whoever saves again has seen what they overwrite.
        form.data = form.data.copy()
        form.data["version"] = str(record.version)
    context = {
        "type": record_type,
        "record": record,
        "field": field,
        "form": form,
        "bound": form[field.key],
        "clash": clash,
        "back": _page_of(record_type, record),
        "here": request.path + ("?cell=1" if _in_cell(request) else ""),
    }
    place = "grid" if _in_cell(request) else "cell"
    wide = WIDE if _in_cell(request) else {FieldType.LOOKUP}
    block = "dialog" if field.type in wide or targets(request, "dialog") else place
    return render_page(request, "records/field.html", context, block=block, status=status)
