"""The timeline on a record's page: its entries in pages, and the composer that adds to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event
from markupsafe import Markup

from activities import queries, timelines
from activities.actions.log import log_activity
from activities.enums import ActivityType, CallOutcome, Direction
from activities.forms import FIELDS, ActivityForm
from activities.timelines import MODELS, Request
from activities.views._lines import Lines
from crm import access
from crm.lib.errors import Forbidden, Invalid, NotFound
from crm.records.registry import registry
from crm.web import cells
from crm.web.answers import refused
from crm.web.htmx import hx_redirect, is_partial, render, render_page, targets, toast
from crm.web.urls import path_to

TEMPLATE = "activities/timeline.html"
LOGGED = {
    ActivityType.NOTE: gettext_lazy("Note added"),
    ActivityType.CALL: gettext_lazy("Call logged"),
    ActivityType.MEETING: gettext_lazy("Meeting logged"),
}


def record_of(kind: str, pk: Any, actor: Any) -> Any:
    """The contact, account or deal. Raises NotFound and Http404."""
    if kind not in MODELS:
        raise Http404
    return access.get_visible(MODELS[kind], pk, actor)


def refuse_viewers(record: Any, actor: Any) -> None:
    """Raises Forbidden where the actor sees a record and may not write it."""
    if not access.may_write(record, actor):
        raise Forbidden(_("You can view this record, but not add anything to it."))


def page_of(kind: str, pk: Any) -> str:
    """The path of a record's page."""
    return cells.page_of(registry.get(kind))(pk)


def panel(request: HttpRequest, record: Any) -> Markup:
    """Composer and timeline for the middle of a record's page; the address may name a tab, a search and a cursor, or
    the entry to open at."""
    kind = type(record)._meta.model_name or ""
    context = _context(request, kind, record) | _composer(request, kind, record)
    return Markup(render(request, TEMPLATE, context, blocks=["composer", "timeline"]))  # noqa: S704 -- rendered here


def _wanted(request: HttpRequest) -> Request:
    given = request.GET
    tab, entry = given.get("tab", ""), given.get("entry", "")
    wanted = Request(tab if tab in timelines.TABS else "", given.get("q", "").strip()[:100], given.get("after", ""))
    # A part of the timeline may not hold the entry: whoever has chosen one is shown that.
    return replace(wanted, entry=UUID(entry)) if wanted == Request() and access.is_uuid(entry) else wanted


def _context(request: HttpRequest, kind: str, record: Any, wanted: Request | None = None) -> dict[str, Any]:
    r: Any = request
    wanted = _wanted(request) if wanted is None else wanted
    found = timelines.timeline(kind, record, r.actor, wanted)
    page, own = page_of(kind, record.pk), path_to("timeline", kind, record.pk)
    shown = {name: value for name, value in (("tab", wanted.tab), ("q", wanted.search)) if value}
    last = found.days[-1].day.isoformat() if found.days else request.GET.get("day", "")
    older = "?" + urlencode({**shown, "after": found.older, "day": last}) if found.older else ""
    shown_day = request.GET.get("day", "") if wanted.cursor and is_partial(request) else ""
    return {
        "record": record,
        "lines": Lines(kind, found.sought).days(found.days, shown_day),
        "wanted": wanted,
        "found": found,
        "is_lost": wanted.entry is not None and found.sought is None and "following" not in request.GET,
        "tabs": _tabs(),
        "url_timeline": own,
        "url_page": page,
        "url_older": own + older if older else "",
        "url_older_page": page + older if older else "",
    }


def _tabs() -> list[tuple[str, str]]:
    words = {"": _("All"), "calls": _("Calls"), "meetings": _("Meetings"), "notes": _("Notes"), "changes": _("Changes")}
    return list(words.items())


def _composer(
    request: Any, kind: str, record: Any, chosen: str = "", form: ActivityForm | None = None
) -> dict[str, Any]:
    """What the composer shows: empty, or what a refused form was given, with what is wrong."""
    may_write = access.may_write(record, request.actor)
    return {
        "may_log": may_write,
        "chosen": chosen or ActivityType.NOTE,
        "people": queries.people_of_deal(record.pk) if kind == "deal" and may_write else [],
        "given": form.data if form else {},
        "errors": _errors(form) if form else {},
        "outcomes": CallOutcome.choices,
        "directions": list(reversed(Direction.choices)),
        "out_of_band": False,
    }


def _errors(form: ActivityForm) -> dict[str, str]:
    """What is wrong, in one sentence per field; "" is the form as a whole."""
    labels = {name: str(field.label) for name, field in form.fields.items()}
    said = {name: " ".join(str(e) for e in errors) for name, errors in form.errors.items()}
    return {"" if name == NON_FIELD_ERRORS else labels[name]: text for name, text in said.items()}


@require_http_methods(["GET", "POST"])
def timeline(request: HttpRequest, kind: str, pk: str) -> HttpResponse:
    """The timeline of a record: `tab`, `q` and `after` choose what is shown, `entry` opens it at an activity. POST adds
    a note, a call or a meeting.

    It has no page of its own: a load leads to the record's. With `following` it is an open page that asks, of its own
    accord: where the record is gone by then, the answer is empty.
    """
    r: Any = request
    try:
        record = record_of(kind, pk, r.actor)
    except NotFound:
        if "following" in request.GET:
            return HttpResponse(status=204)
        raise
    if request.method == "POST":
        return _log(request, kind, record)
    if not is_partial(request):
        query = request.GET.urlencode()
        return HttpResponseRedirect(page_of(kind, pk) + (f"?{query}" if query else ""))
    context = _context(request, kind, record)
    if context["wanted"].cursor:
        return render_page(request, TEMPLATE, context, block="entries")
    whole = targets(request, "timeline")
    response = render_page(request, TEMPLATE, context, block="timeline" if whole else "list")
    if not whole:
        wanted, sought = context["wanted"], context["found"].sought
        query = urlencode({k: v for k, v in (("tab", wanted.tab), ("q", wanted.search), ("entry", sought)) if v})
        response["HX-Replace-Url"] = context["url_page"] + (f"?{query}" if query else "")
    return response


def _log(request: Any, kind: str, record: Any) -> HttpResponse:
    refuse_viewers(record, request.actor)
    chosen = request.POST.get("type", "")
    if chosen not in FIELDS:
        raise Invalid(_("Choose a note, a call or a meeting."))
    people = queries.people_of_deal(record.pk) if kind == "deal" else []
    form = ActivityForm(request.POST, kind=chosen, people=people)
    if form.is_valid():
        try:
            log_activity(form.new(**{f"{kind}_id": record.pk}), acting=request.actor)
        except Invalid as error:
            refused(form, error)
        else:
            return _logged(request, kind, record, chosen)
    context = _context(request, kind, record, Request()) | _composer(request, kind, record, chosen, form)
    response = render_page(request, TEMPLATE, context, block="composer", status=422)
    response["HX-Retarget"], response["HX-Reswap"] = "#composer", "outerHTML"
    return response


def _logged(request: Any, kind: str, record: Any, chosen: str) -> HttpResponse:
    """The timeline as it is now, with an empty composer beside it."""
    if not is_partial(request):
        return hx_redirect(request, page_of(kind, record.pk))
    context = (
        _context(request, kind, record, Request()) | _composer(request, kind, record, chosen) | {"out_of_band": True}
    )
    response = render_page(request, TEMPLATE, context, block="timeline", also=["composer"])
    trigger_client_event(response, "recordChanged", {"told": True})
    return toast(response, str(LOGGED[ActivityType(chosen)]))
