"""What activities put on the home page: what happened lately."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from markupsafe import Markup

from activities import queries, timelines
from activities.timelines import Entry, Scene
from activities.views._lines import Lines
from crm.records.names import Names
from crm.tenancy.context import Actor
from crm.web.home import home, scope_of
from crm.web.htmx import render

SHOWN = 10


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    home.add("activities.recent", recent, order=10, place="side")


def entries(actor: Actor, *, mine: bool) -> list[Entry]:
    """The latest activities, as lines. Two statements."""
    rows = queries.recent_rows(actor, mine=mine, limit=SHOWN)
    names = Names()
    timelines.want_names(names, rows, "")
    names.load()
    scene = Scene("", None, actor, names, timezone.now())
    return [timelines.activity_entry(row, scene) for row in rows]


def recent(request: HttpRequest) -> Markup:
    """What happened lately on the records that the reader sees."""
    r: Any = request
    found = entries(r.actor, mine=scope_of(r) == "mine")
    if not found:
        return Markup("")
    context = {"lines": Lines().recent(found)}
    return Markup(render(request, "activities/home.html", context, blocks=["recent"]))  # noqa: S704 -- our template
