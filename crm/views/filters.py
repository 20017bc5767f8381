"""The panel in which a list's filter is built, step by step, without script too: every step is a form that is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from crm.lib.errors import CrmError, TooSlow
from crm.records import lists, schema
from crm.records.filters.draft import DraftGroup, DraftRow, change, draft_of, read_form
from crm.records.filters.panel import Panel
from crm.records.listquery import PARTS
from crm.records.registry import RecordType
from crm.views.records import url_for
from crm.web import formats
from crm.web.htmx import hx_redirect, render_page, targets
from crm.web.urls import path_to

TEMPLATE = "records/filters.html"


@require_GET
def record_filter(request: HttpRequest, type_key: str) -> HttpResponse:
    """The panel for the filter of a list's address; or for the rows of its own form, after what a button says.

    `act` is "add", "group" or "remove" with the id of a row, "count", or "apply", which leads to the list.
    """
    r: Any = request
    try:
        record_type = schema.record_type(type_key, r.actor)
    except KeyError:
        raise Http404 from None
    panel = Panel(record_type, r.actor)
    params, act, focus = request.GET, request.GET.get("act", ""), request.GET.get("at", "")
    if "state" not in params:
        query = lists.parse_query(record_type, _without(params, "at"), r.actor)
        draft = draft_of(query.tree(record_type, r.actor))
        panel.check(draft)
        return _page(request, panel, draft, focus or "0-0")
    draft = read_form(params)
    if act == "count":
        return _count(request, panel, draft)
    if act == "apply":
        return _apply(request, panel, draft)
    if act:
        focus = change(draft, act)
    return _page(request, panel, draft, focus)


def _without(params: Any, name: str) -> Any:
    kept = params.copy()
    kept.pop(name, None)
    return kept


def _query(params: Any, panel: Panel, draft: DraftGroup) -> lists.ListQuery:
    """The list that a draft leads to: all but the filter stays as it was."""
    return replace(_kept(params, panel), filters={}, where=panel.tree(draft))


def _kept(params: Any, panel: Panel) -> lists.ListQuery:
    """The list of an address without its own filter; a saved view's is there."""
    kept = QueryDict(mutable=True)
    for name in {*PARTS, "view"} - {"filter"}:
        if name in params:
            kept[name] = params[name]
    return lists.parse_query(panel.record_type, kept, panel.actor)


def _apply(request: HttpRequest, panel: Panel, draft: DraftGroup) -> HttpResponse:
    error = panel.check(draft)
    if error:
        return _page(request, panel, draft, "", error)
    return hx_redirect(request, url_for(panel.record_type, "list") + _query(request.GET, panel, draft).url())


def _count(request: Any, panel: Panel, draft: DraftGroup) -> HttpResponse:
    """How many records the rows that are filled in would leave."""
    try:
        count = lists.list_count(panel.record_type, _query(request.GET, panel, draft), request.actor)
    except TooSlow:
        text = _("Counting takes too long.")
    except CrmError:
        text = ""
    else:
        number = formats.how_many(count)
        text = ngettext("%(number)s matches", "%(number)s match", count.number) % {"number": number}
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _page(request: HttpRequest, panel: Panel, draft: DraftGroup, focus: str, error: str = "") -> HttpResponse:
    draft.rows = draft.rows or [DraftRow()]
    record_type: RecordType = panel.record_type
    kept = _kept(request.GET, panel)
    context = {
        "type": record_type,
        "group": panel.show(draft, focus),
        "error": error,
        "action": path_to("record_filter", record_type.key),
        "kept": kept.pairs("filter"),
        "clear_url": url_for(record_type, "list") + replace(kept, where=None).url(),
    }
    return render_page(request, TEMPLATE, context, block="conditions" if targets(request, "filter-body") else "panel")
