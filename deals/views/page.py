"""The page of a deal, and the people on it."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from crm import access, queries
from crm.lib.errors import CrmError
from crm.records import schema
from crm.records.limits import seen_keys, veil
from crm.web import props
from crm.web.answers import refused
from crm.web.htmx import render_page
from crm.web.panels import panels
from crm.web.urls import path_to
from deals import rules
from deals.actions.contacts import remove_deal_contact, set_deal_contact
from deals.enums import DealStatus, StageKind
from deals.forms import PersonForm
from deals.models import Deal, Stage
from deals.queries import page as page_queries
from deals.records import FORECAST_TONES, STATUS_TONES
from deals.views import _answers

DETAILS = ("amount", "currency", "probability", "forecast_category", "close_date", "next_step", "next_step_at")
MORE = ("account", "owner", "source", "tags", "closed_on", "close_reason")


@require_GET
def deal_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A deal with its stages, its people and what other apps show of it; for htmx its head alone."""
    r: Any = request
    deal = access.get_visible(Deal, pk, r.actor, "stage", "pipeline", "account", "owner__user")
    may_write = access.may_write(deal, r.actor)
    record_type = schema.record_type("deal", r.actor)
    seen = seen_keys(record_type, r.actor)
    veil(deal, record_type, r.actor)
    shown = props.Props(record_type, deal, r.actor, queries.tags() if deal.tags else {}, may_write=may_write)
    stages = page_queries.stages_of(deal.pipeline_id)
    context = {
        "deal": deal,
        "path": _path(deal, stages, may_write=may_write),
        "won": next((s for s in stages if s.kind == StageKind.WON), None),
        "lost": next((s for s in stages if s.kind == StageKind.LOST), None),
        "status_tone": STATUS_TONES[deal.status],
        "forecast_tone": FORECAST_TONES.get(deal.forecast_category, "gray"),
        "weighted": deal.amount * deal.probability // 100 if deal.amount is not None else None,
        "sees": seen,
        "step": rules.step_state(deal.next_step, deal.next_step_at, timezone.localtime(), timezone.localdate()),
        "rot": rules.rot_of(deal.touched_at, deal.stage.rot_days, timezone.now()) if deal.status == "open" else "",
        "details": shown.of(*DETAILS),
        "more": shown.of(*MORE),
        "own": shown.own(),
        "people": page_queries.people_of(deal, r.actor),
        "may_write": may_write,
        "may_manage": rules.may_manage(deal, r.actor),
        "panel": partial(panels.render, record_type.key, request=request, record=deal),
    }
    return render_page(request, "deals/deal.html", context, block="head")


def _path(deal: Deal, stages: list[Stage], *, may_write: bool) -> list[tuple[str, str, str, dict[str, Any]]]:
    """The open stages as the path shows them: those left behind, the present one with its days, those ahead."""
    found = []
    days = max((timezone.now() - deal.stage_entered_at).days, 0)
    position = deal.stage.position
    for stage in stages:
        if stage.kind != StageKind.OPEN:
            continue
        here = stage.pk == deal.stage_id
        state = "here" if here else "done" if stage.position < position or deal.status == DealStatus.WON else ""
        note = ngettext("%(n)s d", "%(n)s d", days) % {"n": days} if here else ""
        attrs: dict[str, Any] = {"disabled": True}
        if may_write:
            put = {"hx-put": path_to("deal_stage", deal.pk), "hx-swap": "none"}
            attrs = {"data-tone": stage.tone} if here else {**put, "hx-vals": f'{{"stage": "{stage.pk}"}}'}
        found.append((stage.name, state, note, attrs))
    return found


@require_http_methods(["GET", "POST"])
def deal_people(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts a contact on a deal, with a role, or changes the role they have."""
    r: Any = request
    deal = access.get_visible(Deal, pk, r.actor)
    if not access.may_write(deal, r.actor):
        raise access.absent(Deal)
    initial = {"contact": request.GET.get("contact", ""), "role": request.GET.get("role", "unknown")}
    form = PersonForm(request.POST or None, initial=initial, actor=r.actor)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            set_deal_contact(pk, given["contact"], role=given["role"], is_primary=given["is_primary"], acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return _answers.changed(request, deal, [], _("Saved"))
    context = {"form": form, "deal": deal, "back": _answers.detail_url(deal)}
    return render_page(request, "deals/person.html", context, block="form", status=422 if form.errors else 200)


@require_http_methods(["POST", "DELETE"])
def deal_person(request: HttpRequest, pk: UUID, contact_pk: UUID) -> HttpResponse:
    """Takes a contact off a deal."""
    r: Any = request
    remove_deal_contact(pk, contact_pk, acting=r.actor)
    deal = access.get_visible(Deal, pk, r.actor)
    return _answers.changed(request, deal, [], _("Removed from the deal"))
