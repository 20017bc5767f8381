"""The home page: what apps put there for the reader, and first steps where there is nothing yet."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from markupsafe import Markup

from crm import rules
from crm.web.home import Place, offers_scopes, scope_of
from crm.web.home import home as registry
from crm.web.htmx import render_page


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Figures, deals, activity; `scope` says whose (crm.web.home.scope_of)."""
    r: Any = request
    now = timezone.localtime()
    main = _rendered(request, "main")
    steps = [] if main else _steps(r)
    context = {
        "greeting": _greeting(now.hour, _first_name(r.user.get_full_name())),
        "now": now,
        "figures": Markup("").join(_rendered(request, "figures")),
        "main": main,
        "side": _rendered(request, "side"),
        "steps": steps,
        "may_add": rules.may_edit_anything(r.actor),
        "scopes": scopes(request),
    }
    return render_page(request, "home/home.html", context, block="page")


def _rendered(request: HttpRequest, place: Place) -> list[Markup]:
    return [found for found in (panel.render(request) for panel in registry.panels(place)) if found]


def _steps(request: Any) -> list[dict[str, Any]]:
    """What a new organisation does first, the first undone marked; none for readers, or once what matters is done."""
    if not rules.may_edit_anything(request.actor) or (offers_scopes(request.actor) and scope_of(request) == "mine"):
        return []
    steps = [{"step": step, "state": "done" if step.done(request.actor) else ""} for step in registry.steps()]
    if all(item["state"] or item["step"].optional for item in steps):
        return []
    current = next((item for item in steps if not item["state"]), None)
    if current is not None:
        current["state"] = "current"
    return steps


def _first_name(name: str) -> str:
    return name.split(" ")[0]


def _greeting(hour: int, name: str) -> str:
    """By the reader's clock."""
    words = {"name": name}
    if 5 <= hour < 12:
        return _("Good morning, %(name)s") % words
    if 12 <= hour < 18:
        return _("Good afternoon, %(name)s") % words
    return _("Good evening, %(name)s") % words


def scopes(request: Any) -> list[tuple[str, str, bool, str]]:
    """Mine, and what the reader sees besides, as a segment; none for a rep, who sees little else."""
    if not offers_scopes(request.actor):
        return []
    chosen = scope_of(request)
    words = [("mine", _("Mine")), ("all", _("Everyone's"))]
    return [(text, f"?scope={value}", value == chosen, "") for value, text in words]
