"""A card of a board that is dragged to another column: the record's picklist as a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.lib.errors import Invalid
from crm.records import boards, lists
from crm.records.limits import called
from crm.views.arrangement import head_of
from crm.views.records import type_of
from crm.web.answers import sent_data
from crm.web.htmx import render, toast
from crm.web.urls import path_to


@require_http_methods(["PUT", "POST"])
def record_choice(request: HttpRequest, type_key: str, pk: str, key: str) -> HttpResponse:
    """Gives a record another value of a picklist.

    PUT {"value", "version"} is a card's way, and answers the heads of the columns; the list is that of the query. POST
    takes both from the query: it undoes that.
    """
    r: Any = request
    record_type = type_of(type_key, r.actor)
    given: Any = _body(request) if request.method == "PUT" else {name: request.GET.get(name) for name in ("to", "was")}
    value, version = str(given.get("value", given.get("to")) or ""), given.get("version", given.get("was"))
    if not str(version).isdigit():
        raise Invalid(_("This page's address is damaged. Open the list again."))
    record, before = boards.move_card(record_type, pk, key, value, acting=r.actor, version=int(str(version)))
    if request.method == "POST":
        response = toast(HttpResponse(status=204), _("Moved back"))
        response["HX-Refresh"] = "true"
        return response
    query = lists.parse_query(record_type, request.GET, r.actor)
    shown = lists.columns_of(record_type, r.actor, query)
    heads = boards.heads_of(record_type, query, r.actor, shown, r.organization.base_currency)
    undo = path_to("record_choice", record_type.key, record.pk, key) + f"?to={before}&was={record.version}"
    drawn = [{"key": head.key, "html": _head(request, head)} for head in heads]
    label = next((head.label for head in heads if head.key == value), value)
    text = _("%(name)s moved to %(column)s") % {"name": called(record, record_type.key, r.actor), "column": label}
    return JsonResponse({"version": record.version, "heads": drawn, "text": text, "undo": undo})


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
