"""Saved views of lists, and a member's pins and defaults."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import access, queries
from crm.actions import views
from crm.enums import ViewScope
from crm.forms.views import ViewForm
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.models import SavedView
from crm.records import lists
from crm.records.listquery import OWN, ListQuery
from crm.records.registry import RecordType
from crm.views.records import type_of, url_for
from crm.web import formats
from crm.web.answers import done, refused
from crm.web.htmx import hx_redirect, render_page
from crm.web.urls import path_to

KEPT_SECONDS = 60  # for which a browser shows pins and their counts again without asking


@require_http_methods(["GET"])
def record_views(request: HttpRequest, type_key: str) -> HttpResponse:
    """The views of a type that the member sees, for the menu of its list."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    list_url = url_for(record_type, "list")
    found = list(SavedView.objects.filter(access.views_q(r.actor), record_type=record_type.key).order_by("name", "pk"))
    titles = (
        (ViewScope.PRIVATE, _("Mine")),
        (ViewScope.TEAM, _("Of my teams")),
        (ViewScope.ORGANIZATION, _("Everybody's")),
    )
    groups = [(title, [view for view in found if view.scope == scope]) for scope, title in titles]
    context = {
        "type": record_type,
        "groups": [(title, rows) for title, rows in groups if rows],
        "now": request.GET.get("now", ""),
        "list_url": list_url,
        "all_url": f"{list_url}?view=",
    }
    return render_page(request, "records/views.html", context)


@require_http_methods(["GET", "POST"])
def record_view_new(request: HttpRequest, type_key: str) -> HttpResponse:
    """Saves what a list shows: its address comes as the query, or as `arrangement`."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    form = ViewForm(request.POST if request.method == "POST" else None, actor=r.actor)
    arrangement = request.POST.get("arrangement", "") or "?" + request.GET.urlencode()
    query = _arranged(record_type, arrangement, r.actor)
    if request.method == "POST" and form.is_valid():
        scope, team = form.chosen()
        name = form.cleaned_data["name"]
        try:
            made = views.create_view(record_type.key, name, query, scope=scope, team=team, acting=r.actor)
        except CrmError as error:
            refused(form, _about_form(error))
        else:
            return done(request, _("View saved"), _page_of(made, r.actor))
    back = url_for(record_type, "list")
    context = {
        "form": form, "view": None, "arrangement": query.url(), "back": back,
        "action": path_to("record_view_new", record_type.key),
    }  # fmt: skip
    return render_page(request, "records/view_form.html", context, block="form", status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def saved_view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Renames a view and says who sees it."""
    r: Any = request
    view = access.get_any_view(pk, r.actor)
    form = ViewForm(request.POST if request.method == "POST" else None, actor=r.actor, view=view)
    if request.method == "POST" and form.is_valid():
        scope, team = form.chosen()
        name = form.cleaned_data["name"]
        try:
            views.update_view(pk, name, scope, team, acting=r.actor, version=_version(request))
        except CrmError as error:
            refused(form, _about_form(error))
        else:
            return done(request, _("View saved"), _page_of(view, r.actor))
    context = {"form": form, "view": view, "back": _page_of(view, r.actor), "action": path_to("saved_view", pk)}
    return render_page(request, "records/view_form.html", context, block="form", status=422 if form.errors else 200)


@require_POST
def saved_view_arrangement(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Makes a view say what its list shows now."""
    r: Any = request
    view = access.get_any_view(pk, r.actor)
    query = _arranged(type_of(view.record_type, r.actor), request.POST.get("arrangement", ""), r.actor)
    views.arrange_view(pk, query, acting=r.actor, version=_version(request))
    return done(request, _("View saved"), _page_of(view, r.actor))


@require_POST
def saved_view_copy(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A private copy of a view."""
    r: Any = request
    return done(request, _("This is your copy."), _page_of(views.copy_view(pk, acting=r.actor), r.actor))


@require_POST
def saved_view_deletion(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Deletes a view; the list then offers to undo it."""
    r: Any = request
    view = views.delete_view(pk, acting=r.actor)
    undo = path_to("saved_view_restoration", pk)
    messages.success(request, _("View %(name)s was deleted.") % {"name": view.name}, extra_tags=f"undo={undo}")
    return hx_redirect(request, url_for(type_of(view.record_type, r.actor), "list") + "?view=")


@require_POST
def saved_view_restoration(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes back the deletion of a view."""
    r: Any = request
    view = views.restore_view(pk, acting=r.actor)
    return done(request, _("View %(name)s is back.") % {"name": view.name}, _page_of(view, r.actor))


@require_http_methods(["POST", "DELETE"])
def saved_view_default(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Makes a view what the member's list opens with, or not any more."""
    r: Any = request
    view = access.get_any_view(pk, r.actor)
    chosen = pk if request.method == "POST" else None
    views.set_default_view(view.record_type, chosen, acting=r.actor)
    text = _("The list opens with this view now.") if chosen else _("The list opens with all records now.")
    return done(request, text, _page_of(view, r.actor))


@require_http_methods(["POST", "DELETE"])
def saved_view_pin(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts a view into the member's sidebar, or takes it out."""
    r: Any = request
    view = access.get_any_view(pk, r.actor)
    if request.method == "POST":
        views.pin_view(pk, acting=r.actor)
        return done(request, _("Pinned to the sidebar"), _page_of(view, r.actor))
    views.unpin_view(pk, acting=r.actor)
    return done(request, _("Not in the sidebar any more"), _page_of(view, r.actor))


@require_http_methods(["GET", "POST"])
def view_pins(request: HttpRequest) -> HttpResponse:
    """The member's pinned views: for the sidebar, which asks again after a minute; with ?arrange=1 their order."""
    r: Any = request
    if request.method == "POST":
        ids = [UUID(pk) for pk in request.POST.getlist("pin") if access.is_uuid(pk)]
        views.order_pins(ids, acting=r.actor)
        return done(request, _("Saved"), path_to("home"))
    pins = queries.view_marks(r.member_marks).pins
    found = {view.pk: view for view in SavedView.objects.filter(access.views_q(r.actor), pk__in=pins)}
    shown = [(found[pk], _page_of(found[pk], r.actor)) for pk in pins if pk in found]
    if "arrange" in request.GET:
        context = {"pins": shown, "action": path_to("view_pins"), "back": path_to("home")}
        return render_page(request, "records/pins_form.html", context, block="form")
    return _kept(render_page(request, "records/pins.html", {"pins": shown}))


@require_GET
def saved_view_count(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How many records a view leaves, for the sidebar; nothing where counting takes too long."""
    r: Any = request
    view = access.get_any_view(pk, r.actor)
    record_type = type_of(view.record_type, r.actor)
    try:
        count = lists.list_count(record_type, _arranged(record_type, f"?view={pk}", r.actor), r.actor)
    except CrmError:
        return _kept(HttpResponse(""))
    return _kept(HttpResponse(formats.how_many(count)))


def _kept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    return response


def _page_of(view: SavedView, actor: Any) -> str:
    return f"{url_for(type_of(view.record_type, actor), 'list')}?view={view.pk}"


def _arranged(record_type: RecordType, address: str, actor: Any) -> ListQuery:
    """The list of an address, that is nobody's view. Raises Invalid."""
    params = QueryDict(address.removeprefix("?"), mutable=True)
    for name in set(OWN) & {"after", "block", "key"}:
        params.pop(name, None)
    return lists.parse_query(record_type, params, actor).whole()


def _version(request: HttpRequest) -> int:
    version = request.POST.get("version", "")
    if not version.isdigit():
        raise Invalid(_("The form is incomplete. Reload the page and try again."))
    return int(version)


def _about_form(error: CrmError) -> CrmError:
    """An action names scope and team, the form asks for both at once."""
    if isinstance(error, Invalid) and not isinstance(error, Forbidden):
        for name in ("scope", "team"):
            if name in error.fields:
                error.fields = {"audience": error.fields[name]}
    return error
