"""How the pages of deals answer a change: a piece of the board, a toast, or another page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

from crm.lib.errors import Invalid
from crm.web.answers import sent_data
from crm.web.htmx import close_dialog, hx_redirect, toast
from crm.web.urls import path_to
from deals.models import Deal


def sent(request: HttpRequest) -> Mapping[str, Any]:
    """What was sent, as JSON or as a form. Raises Invalid for what is neither."""
    if request.content_type != "application/json":
        return sent_data(request)
    try:
        values = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise Invalid from error
    if not isinstance(values, dict):
        raise Invalid
    return values


def version_of(values: Mapping[str, Any]) -> int | None:
    """The version somebody has seen, or None where they do not say. Raises Invalid for nonsense."""
    text = str(values.get("version") or "")
    if not text:
        return None
    if not text.isdigit() or len(text) > 9:
        raise Invalid
    return int(text)


def detail_url(deal: Deal) -> str:
    """The page of a deal."""
    return path_to("deal_detail", deal.pk)


def changed(
    request: HttpRequest,
    deal: Deal,
    stages: Iterable[UUID],
    text: str = "",
    *,
    undo: str = "",
    to: str = "",
    field: str = "",
) -> HttpResponse:
    """The change was made. Script is told which deal and columns to fetch, and lists that `field` has another value.
    Without it, on to the page `to`."""
    if request.headers.get("HX-Request") != "true":
        if text:
            messages.success(request, text, extra_tags=f"undo={undo}" if undo else "")
        return hx_redirect(request, to or detail_url(deal))
    response = HttpResponse(status=204)
    if field:
        trigger_client_event(response, "cellChanged", {"id": str(deal.pk), "key": field})
    close_dialog(response)
    if text:
        toast(response, text, undo=undo or None)
    return trigger_client_event(
        response, "deals:changed", {"deals": [str(deal.pk)], "columns": [str(stage) for stage in stages]}
    )
