"""The open tasks about a contact, an account or a deal, on its page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET
from markupsafe import Markup

from activities import queries
from activities.records import TASK
from activities.views.timeline import record_of
from crm import rules
from crm.records import lists, schema
from crm.web import cells, checks
from crm.web.htmx import is_partial, render, render_page
from crm.web.urls import path_to

SHOWN = 5
TEMPLATE = "activities/task_panel.html"


def tasks_of_record(request: HttpRequest, record: Any) -> Markup:
    """The pane on a record's page. Its tasks come after the page is there, and again when one has changed."""
    return Markup(render(request, TEMPLATE, _frame(request, record)))  # noqa: S704 -- our template


def _frame(request: HttpRequest, record: Any) -> dict[str, Any]:
    r: Any = request
    kind = record._meta.model_name
    query = f"?{urlencode({kind: record.pk})}"
    new = path_to("task_new") + query if rules.may_edit_anything(r.actor) else ""
    return {
        "url_new": new,
        "url_all": path_to("task_list") + query,
        "url_items": path_to("task_panel", kind, record.pk),
    }


@require_GET
def task_panel(request: HttpRequest, kind: str, pk: Any) -> HttpResponse:
    """The next open tasks about a record; it has no page of its own: a load leads to the list of them."""
    r: Any = request
    record = record_of(kind, pk, r.actor)
    frame = _frame(request, record)
    if not is_partial(request):
        return HttpResponseRedirect(frame["url_all"])
    record_type = schema.record_type(TASK.key, r.actor)
    columns = [f for f in record_type.fields_for(r.actor.role) if f.key in ("due_at", "owner")]
    paths = lists.value_paths(record_type, columns, lists.Key("id"))
    rows = queries.open_tasks(kind, record.pk, paths, limit=SHOWN + 1)
    shown = rows[:SHOWN]
    labels = lists.labels_of(record_type, columns, shown)
    renders = [cells.renderer(column, labels) for column in columns]
    box, page = checks.box_of(record_type, r.actor), cells.page_of(record_type)
    items = [
        {"box": Markup(box(row) if box else ""), "name": cells.record_name(record_type, row), "url": page(row["id"]),  # noqa: S704 -- escaped there
         "details": [Markup(show(row)) for show in renders]}  # noqa: S704 -- escaped by the renderers
        for row in shown
    ]  # fmt: skip
    return render_page(request, TEMPLATE, {**frame, "items": items, "more": len(rows) > SHOWN}, block="items")
