"""What a search box offers where another record is to be chosen."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from crm.records import schema
from crm.records.lookup import KEPT, chosen_option, find_options, kept_option, with_chosen
from crm.web.htmx import render_page

NAME = re.compile(r"[a-z0-9_.-]{1,60}")


@require_GET
def record_options(request: HttpRequest, type_key: str) -> HttpResponse:
    """Radio buttons named `field` for the records that `<field>-q` finds; the one chosen before stays in front."""
    r: Any = request
    name = request.GET.get("field", "")
    if not NAME.fullmatch(name):
        raise Http404
    try:
        record_type = schema.record_type(type_key, r.actor)
    except KeyError:
        raise Http404 from None
    value = request.GET.get(name, "")
    chosen = kept_option() if value == KEPT else chosen_option(record_type, value, r.actor)
    context = {
        "name": name,
        "options": with_chosen(find_options(record_type, request.GET.get(f"{name}-q", ""), r.actor), chosen),
        "chosen": chosen.id if chosen else "",
        "required": request.GET.get("required") == "1",
    }
    return render_page(request, "records/options.html", context)
