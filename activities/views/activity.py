"""One activity: the dialog that logs or corrects it, its deletion and its way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from activities import queries
from activities.access import get_correctable
from activities.actions import log
from activities.actions.log import delete_activity, log_activity, restore_activity, update_activity
from activities.enums import ActivityType
from activities.forms import FIELDS, ActivityForm, initial_of
from activities.models import Activity
from activities.timelines import MODELS, place_of
from activities.views.timeline import LOGGED, page_of, record_of, refuse_viewers
from crm import access, rules
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.records.limits import called
from crm.views.records import record_detail
from crm.web.answers import refused
from crm.web.htmx import close_dialog, hx_redirect, is_partial, render_page, toast
from crm.web.urls import path_to


def _about(request: HttpRequest) -> tuple[str, Any]:
    """The record that the address names, as (type, record); ("", None) for none. Raises NotFound."""
    r: Any = request
    for kind in ("deal", "contact", "account"):
        if request.GET.get(kind):
            return kind, record_of(kind, request.GET[kind], r.actor)
    return "", None


@require_http_methods(["GET", "POST"])
def activity_new(request: HttpRequest) -> HttpResponse:
    """The form that logs a note, a call or a meeting (`type`) on a `deal`, `contact` or `account`, or on a contact that
    is chosen in it."""
    r: Any = request
    if not rules.may_edit_anything(r.actor):
        raise Forbidden(_("You can view this organisation's records, but not add anything to them."))
    chosen = request.GET.get("type") or ActivityType.NOTE
    if chosen not in FIELDS:
        raise Invalid(_("Choose a note, a call or a meeting."))
    kind, record = _about(request)
    if record is not None:
        refuse_viewers(record, r.actor)
    people = queries.people_of_deal(record.pk) if kind == "deal" else []
    form = ActivityForm(request.POST or None, kind=chosen, people=people)
    if record is None:
        form.ask_for_contact(r.actor)
    if request.method == "POST" and form.is_valid():
        try:
            made = log_activity(form.new(**({f"{kind}_id": record.pk} if record else {})), acting=r.actor)
        except Invalid as error:
            refused(form, error)
        else:
            return _done(request, made, str(LOGGED[ActivityType(chosen)]))
    context = {
        "form": form,
        "chosen": chosen,
        "record": record,
        "name": called(record, kind, r.actor) if record else "",
        "action": request.get_full_path(),
        "kinds": _kinds(request, chosen),
        "back": page_of(kind, record.pk) if record else path_to("home"),
        "activity": None,
    }
    return render_page(request, "activities/form.html", context, block="form", status=422 if form.errors else 200)


def _kinds(request: HttpRequest, chosen: str) -> list[tuple[str, str, bool]]:
    """The kinds to choose from: (text, address of the same form for it, chosen)."""
    given = {key: value for key, value in request.GET.items() if key != "type"}
    texts = {ActivityType.NOTE: _("Note"), ActivityType.CALL: _("Call"), ActivityType.MEETING: _("Meeting")}
    return [(text, "?" + urlencode({**given, "type": kind.value}), kind == chosen) for kind, text in texts.items()]


@require_GET
def activity_detail(request: HttpRequest, pk: str) -> HttpResponse:
    """An activity is read on the timeline of the record that it is about; where the reader doesn't see that one, on a
    page of its own."""
    r: Any = request
    activity = access.get_visible(Activity, pk, r.actor)
    kind = next((kind for kind in Activity.SEEN_THROUGH if getattr(activity, f"{kind}_id")), "")
    about = getattr(activity, f"{kind}_id", None)
    if about and access.visible(MODELS[kind], r.actor).filter(pk=about).exists():
        return HttpResponseRedirect(place_of(page_of(kind, about), activity.pk))
    return record_detail(request, log.KEY, pk)


@require_http_methods(["GET", "POST"])
def activity_edit(request: HttpRequest, pk: str) -> HttpResponse:
    """The form that corrects an activity; refused when it changed since the form was opened."""
    r: Any = request
    activity = get_correctable(pk, r.actor)
    form = ActivityForm(request.POST or None, kind=activity.type, initial=initial_of(activity))
    if request.method == "POST" and form.is_valid():
        version = request.POST.get("version", "")
        if not version.isdigit():
            raise Invalid(_("The form is incomplete. Reload the page and try again."))
        try:
            changed = update_activity(pk, form.changes(), acting=r.actor, version=int(version))
        except CrmError as error:
            refused(form, error)
        else:
            return _done(request, changed, _("Saved"))
    context = {
        "form": form,
        "chosen": activity.type,
        "record": None,
        "name": "",
        "action": path_to("activity_edit", pk),
        "kinds": [],
        "back": _back(activity),
        "activity": activity,
    }
    return render_page(request, "activities/form.html", context, block="form", status=422 if form.errors else 200)


@require_POST
def activity_deletion(request: HttpRequest, pk: str) -> HttpResponse:
    """Moves an activity to the recycle bin; the toast takes it back."""
    r: Any = request
    gone = delete_activity(pk, acting=r.actor)
    if not is_partial(request):
        return hx_redirect(request, _back(gone))
    response = trigger_client_event(HttpResponse(), "recordChanged", {"told": True})
    return toast(response, _("Entry deleted"), undo=path_to("activity_restoration", pk))


@require_POST
def activity_restoration(request: HttpRequest, pk: str) -> HttpResponse:
    """Takes an activity out of the recycle bin."""
    r: Any = request
    restored = restore_activity(pk, acting=r.actor)
    if not is_partial(request):
        return hx_redirect(request, _back(restored))
    return toast(_changed(HttpResponse(status=204)), _("Entry restored"))


def _back(activity: Any) -> str:
    """The page of the record that an activity is about."""
    kind = next(kind for kind in ("deal", "contact", "account") if getattr(activity, f"{kind}_id"))
    return page_of(kind, getattr(activity, f"{kind}_id"))


def _done(request: HttpRequest, activity: Any, text: str) -> HttpResponse:
    if not is_partial(request):
        return hx_redirect(request, _back(activity))
    return toast(_changed(close_dialog()), text)


def _changed(response: HttpResponse) -> HttpResponse:
    """Tells the timeline and the head of the record on the page to read themselves again."""
    return trigger_client_event(response, "recordChanged")
