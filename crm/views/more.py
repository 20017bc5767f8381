"""A value that wants an answer besides, such as why a deal is lost: the form that asks for it opens in the dialog."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

from crm.records.registry import RecordType
from crm.web.htmx import hx_redirect, is_partial
from crm.web.urls import path_to


def more_url(record_type: RecordType, pk: Any, key: str, value: Any, version: int) -> str:
    """The form that asks for what a record's new value wants besides; "" where the type has none."""
    name = record_type.url_names.get("more")
    return f"{path_to(name, pk)}?{urlencode({key: value, 'version': version})}" if name else ""


def ask_more(request: HttpRequest, address: str, shown: Any = "") -> HttpResponse:
    """Opens it, and shows the value as it was in place of the form that was sent. Without script it is a page."""
    if not is_partial(request):
        return hx_redirect(request, address)
    response = HttpResponse(shown) if shown else HttpResponse(status=204)
    return trigger_client_event(response, "openDialog", {"href": address})
