"""A card of a board that is dragged to another column: the record's picklist as a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm import access
from crm.lib.errors import Invalid, MoreNeeded
from crm.records import boards, grouping, lists
from crm.records.limits import called
from crm.records.registry import RecordType
from crm.views.arrangement import head_of
from crm.views.more import ask_more, more_url
from crm.views.records import type_of
from crm.web.answers import sent_data
from crm.web.htmx import render, toast
from crm.web.urls import path_to


@require_http_methods(["GET", "PUT", "POST"])
def record_choice(request: HttpRequest, type_key: str, pk: str, key: str) -> HttpResponse:
    """Gives a record another value of a picklist.

    PUT {"value", "version"} is a card's way, and answers the heads of the columns; the list is that of the query. Where
    the value wants an answer besides, it says which form asks for it; GET then tells how things are. POST takes value
    and version from the query: it undoes that.
    """
    r: Any = request
    record_type = type_of(type_key, r.actor)
    if request.method == "GET":
        return _as_it_is(request, record_type, access.get_visible(record_type.model, pk, r.actor))
    given: Any = _body(request) if request.method == "PUT" else {name: request.GET.get(name) for name in ("to", "was")}
    value, version = str(given.get("value", given.get("to")) or ""), given.get("version", given.get("was"))
    if not str(version).isdigit():
        raise Invalid(_("This page's address is damaged. Open the list again."))
    try:
        record, before = boards.move_card(record_type, pk, key, value, acting=r.actor, version=int(str(version)))
    except MoreNeeded as error:
        more = more_url(record_type, pk, key, value, int(str(version)))
        if not more:
            raise
        if request.method == "POST":
            return ask_more(request, more)
        return JsonResponse({"more": more, "detail": str(error)}, status=error.status)
    if request.method == "POST":
        response = toast(HttpResponse(status=204), _("Moved back"))
        response["HX-Refresh"] = "true"
        return response
    heads = _heads(r, record_type)
    undo = path_to("record_choice", record_type.key, record.pk, key) + f"?to={before}&was={record.version}"
    label = next((head.label for head in heads if head.key == value), value)
    text = _("%(name)s moved to %(column)s") % {"name": called(record, record_type.key, r.actor), "column": label}
    return _as_it_is(request, record_type, record, heads, text=text, undo=undo)


def _heads(request: Any, record_type: RecordType) -> list[grouping.Head]:
    query = lists.parse_query(record_type, request.GET, request.actor)
    shown = lists.columns_of(record_type, request.actor, query)
    return boards.heads_of(record_type, query, request.actor, shown, request.organization.base_currency)


def _as_it_is(
    request: HttpRequest, record_type: RecordType, record: Any, heads: list[grouping.Head] | None = None, **more: str
) -> JsonResponse:
    heads = _heads(request, record_type) if heads is None else heads
    drawn = [{"key": head.key, "html": _head(request, head)} for head in heads]
    return JsonResponse({"version": record.version, "heads": drawn, **more})


def _head(request: HttpRequest, head: Any) -> str:
    return render(request, "records/board_head.html", {"column": head_of(head), "number": head.key or "none"})


def _body(request: HttpRequest) -> Mapping[str, Any]:
    """What was sent, as JSON or as a form. Raises Invalid for what is neither."""
    if request.content_type != "application/json":
        return sent_data(request)
    try:
        found = orjson.loads(request.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Invalid(_("This page's address is damaged. Open the list again."))
    return found
