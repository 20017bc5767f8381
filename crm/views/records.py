"""Pages that any record type has: list, record, form, deletion, export. They read the registry and name no type."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from markupsafe import Markup

from crm import access, rules
from crm.actions.bin import delete_record, restore_record
from crm.lib.errors import Forbidden, Invalid
from crm.records import actions, lists, schema, showing
from crm.records.export import export_rows
from crm.records.filters.short import short_conditions
from crm.records.filters.tree import Group, all_of, members_of
from crm.records.filters.words import Chip, Words
from crm.records.forms import form_class, initial_of
from crm.records.limits import called
from crm.records.loosekeys import TooLong
from crm.records.registry import RecordType
from crm.views import arrangement
from crm.web import cells, checks
from crm.web.htmx import hx_redirect, render_page
from crm.web.panels import panels
from crm.web.urls import path_to

SEARCH_BOX = "list-search"  # the form that a list is searched by
NAMING = ("view_name", "view_parts", "list_export")  # blocks that name the list's address


def type_of(type_key: str, actor: Any) -> RecordType:
    """The record type of an address. Raises Http404."""
    try:
        return schema.record_type(type_key, actor)
    except KeyError:
        raise Http404 from None


def url_for(record_type: RecordType, what: str, *args: Any) -> str:
    """The URL of a page of a record type: its own, or the generic one."""
    own = record_type.url_names.get(what)
    if own:
        return path_to(own, *args)
    return path_to(f"record_{what}", record_type.key, *args)


@require_GET
def record_list(request: HttpRequest, type_key: str) -> HttpResponse:
    """A list: `q` searches (docs/search.md), `sort` sorts, `after` pages, every filterable field filters by its key."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    query = arrangement.query_of(record_type, r)
    if request.GET.get("block") == "count":
        count = lists.list_count(record_type, query, r.actor)
        return render_page(request, "records/count.html", {"count": count})
    columns = lists.columns_of(record_type, r.actor, query)
    part = arrangement.part(r, record_type, query, columns)
    if part is not None:
        return part
    unsorted = ""
    try:
        shown = _shown(r, record_type, query, columns)
    except TooLong as error:
        query = query.in_usual_order()
        shown, unsorted = _shown(r, record_type, query, columns), str(error)
    filter_url = path_to("record_filter", record_type.key) + query.url()
    # What is typed into the search box is a part of the list from then on: of what is exported, saved, grouped.
    apart = request.headers.get("HX-Trigger") == SEARCH_BOX
    context = shown | {
        "type": record_type,
        "query": query,
        "unsorted": unsorted,  # why the list is not sorted as was asked
        "filter_url": filter_url,
        "chips": _chips(record_type, query, r.actor, filter_url) if query.filters or query.where else [],
        "new_url": url_for(record_type, "new") if rules.may_edit_anything(r.actor) else "",
        "import_url": _import_url(record_type, r.actor),
        "export_url": _export_url(record_type, query, r),
        "apart": apart,
    }
    return render_page(request, "records/list.html", context, block="records", also=NAMING if apart else ())


def _shown(request: Any, record_type: RecordType, query: lists.ListQuery, columns: list[Any]) -> dict[str, Any]:
    """What the template needs for what is listed. Raises Invalid, before anything is made of what can't be read."""
    shown = arrangement.context(request, record_type, query, columns)
    return shown if query.layout or query.group else shown | _table(request, record_type, query, columns)


def _table(request: Any, record_type: RecordType, query: lists.ListQuery, columns: list[Any]) -> dict[str, Any]:
    """What the template needs for the rows of one page."""
    page = lists.list_page(record_type, query, request.actor, columns=columns)
    several = bool(page.next_cursor or page.prev_cursor)
    tools = arrangement.tools(request, record_type, query, more=several)
    return tools | {
        "body": arrangement.rows(request, record_type, columns, page.rows, picks=bool(tools["bar"])),
        "shown": len(page.rows),
        # Of a list of one page the rows are the count; of a longer one it is asked for after the rows are shown.
        "count_url": query.url() + "&block=count" if several else "",
        "older": query.url(cursor=page.next_cursor) if page.next_cursor else "",
        "newer": query.url(cursor=page.prev_cursor) if page.prev_cursor else "",
    }


def _import_url(record_type: RecordType, actor: Any) -> str:
    name = record_type.url_names.get("import", "")
    return path_to(name) if name and rules.may_edit_anything(actor) else ""


def _export_url(record_type: RecordType, query: lists.ListQuery, request: Any) -> str:
    if not rules.may_export(request.actor, request.organization.readonly_may_export):
        return ""
    return path_to("record_export", record_type.key) + query.url()


def _chips(record_type: RecordType, query: lists.ListQuery, actor: Any, panel_url: str) -> list[dict[str, str]]:
    """What is filtered by, in words, each with the address that takes it away and the one that changes it."""
    found = chips_of(record_type, query, actor)
    # Where one group is the whole filter, the panel's outermost row is that group.
    several = len(found) > 1 or not isinstance(query.where, Group)
    return [
        {"field": chip.field, "operator": chip.operator, "value": chip.value, "href": href}
        | {"edit": f"{panel_url}&at={f'0-{number}' if several else '0'}"}
        for number, (chip, href) in enumerate(found)
    ]


def chips_of(record_type: RecordType, query: lists.ListQuery, actor: Any) -> list[tuple[Chip, str]]:
    """The parts of a list's filter in words, short forms first, each with the query string without it."""
    words = Words(actor)
    short = short_conditions(record_type, query.filters, actor)
    found = [(words.chips(node, record_type)[0], query.without(name)) for name, node in short.items()]
    members = members_of(query.where)
    for number, chip in enumerate(words.chips(query.where, record_type)):
        rest = all_of([*members[:number], *members[number + 1 :]])
        found.append((chip, query.url(where=rest)))
    return found


@require_GET
def record_detail(request: HttpRequest, type_key: str, pk: str) -> HttpResponse:
    """The page of a record whose type has none of its own."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    record = access.get_visible(record_type.model, pk, r.actor)
    columns = lists.listable_fields(record_type, r.actor)
    paths = lists.value_paths(record_type, columns, lists.Key("id"))
    row = access.visible(record_type.model, r.actor).filter(pk=record.pk).values(*paths).get()
    showing.flatten(record_type, columns, [row], r.actor)
    labels = lists.labels_of(record_type, columns, [row])
    shown = [(column.label, Markup(cells.renderer(column, labels)(row))) for column in columns]  # noqa: S704 -- escaped there
    context = {
        "type": record_type,
        "record": record,
        "name": cells.record_name(record_type, row),
        "fields": shown,
        "may_write": access.may_write(record, r.actor) and not record_type.closed(record),
        "urls": {what: url_for(record_type, what, record.pk) for what in ("edit", "delete", "history")},
        "list_url": url_for(record_type, "list"),
        "box": Markup(box(row)) if (box := checks.box_of(record_type, r.actor)) else "",  # noqa: S704 -- escaped there
        "panel": partial(panels.render, record_type.key, request=request, record=record),
    }
    return render_page(request, "records/detail.html", context, block="records")


@require_http_methods(["GET", "POST"])
def record_new(request: HttpRequest, type_key: str) -> HttpResponse:
    """The form for a new record."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    if not rules.may_edit_anything(r.actor):
        raise Forbidden(_("You can view this organisation's records, but not add any."))
    form = form_class(record_type, r.actor, currency=r.organization.base_currency, new=True)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = actions.create_record(record_type, _given(form), acting=r.actor)
        return hx_redirect(request, url_for(record_type, "detail", made.pk))
    return _form_page(request, record_type, form, None)


@require_http_methods(["GET", "POST"])
def record_edit(request: HttpRequest, type_key: str, pk: str) -> HttpResponse:
    """The form of a record; refused when the record changed since the form was opened."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    record = access.get_writable(record_type.model, pk, r.actor)
    form = form_class(record_type, r.actor, currency=r.organization.base_currency)(
        request.POST or None, initial=initial_of(record_type, record, r.actor)
    )
    if request.method == "POST" and form.is_valid():
        version = request.POST.get("version", "")
        if not version.isdigit():
            raise Invalid(_("The form is incomplete. Reload the page and try again."))
        actions.update_record(record_type, record.pk, form.cleaned_data, acting=r.actor, version=int(version))
        return hx_redirect(request, url_for(record_type, "detail", record.pk))
    return _form_page(request, record_type, form, record)


def _given(form: Any) -> dict[str, Any]:
    return {key: value for key, value in form.cleaned_data.items() if value not in (None, "", [])}


def _form_page(request: HttpRequest, record_type: RecordType, form: Any, record: Any) -> HttpResponse:
    context = {
        "type": record_type,
        "form": form,
        "record": record,
        "back": url_for(record_type, "detail", record.pk) if record else url_for(record_type, "list"),
    }
    return render_page(request, "records/form.html", context, status=422 if form.errors else 200)


@require_POST
def record_delete(request: HttpRequest, type_key: str, pk: str) -> HttpResponse:
    """Moves a record to the recycle bin; the list then offers to undo it."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    record = delete_record(record_type.key, pk, acting=r.actor)
    text = _("%(name)s was moved to the recycle bin.") % {"name": called(record, record_type.key, r.actor)}
    undo = path_to("record_restoration", record_type.key, record.pk)
    messages.success(request, text, extra_tags=f"undo={undo}")
    return hx_redirect(request, url_for(record_type, "list"))


@require_POST
def record_restoration(request: HttpRequest, type_key: str, pk: str) -> HttpResponse:
    """Takes a record out of the recycle bin; its page then offers to undo it."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    record = restore_record(record_type.key, pk, acting=r.actor)
    text = _("%(name)s is back.") % {"name": called(record, record_type.key, r.actor)}
    undo = path_to("record_delete", record_type.key, record.pk)
    messages.success(request, text, extra_tags=f"undo={undo}")
    return hx_redirect(request, url_for(record_type, "detail", record.pk))


@require_GET
def record_export(request: HttpRequest, type_key: str) -> StreamingHttpResponse:
    """What a list shows, all of it, as CSV (UTF-8 with a byte order mark, for spreadsheets)."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    if not rules.may_export(r.actor, r.organization.readonly_may_export):
        raise Forbidden(_("Your role may not export. Ask an admin."))
    return csv_answer(record_type, lists.parse_query(record_type, request.GET, r.actor), r.actor)


def csv_answer(record_type: RecordType, query: lists.ListQuery, actor: Any) -> StreamingHttpResponse:
    """The records of a list as a file, line by line. Raises Invalid, and TooSlow."""
    lines = _csv(record_type, query, actor)
    # The first record is read at once, so that a filter that is wrong or takes too long still answers with a page.
    begin = list(islice(lines, 3))
    response = StreamingHttpResponse(chain(begin, lines), content_type="text/csv; charset=utf-8")
    name = f"{record_type.key}-{timezone.localdate().isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class _Echo:
    """What csv.writer writes to: it hands the line back."""

    def write(self, line: str) -> str:
        """The line itself."""
        return line


def _csv(record_type: RecordType, query: lists.ListQuery, actor: Any) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in export_rows(record_type, query, actor):
        yield writer.writerow(row)
