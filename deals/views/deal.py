"""Deals: the forms to add and change one, its owner, its deletion."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm import access, rules
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.web.answers import refused
from crm.web.htmx import render_page
from crm.web.urls import path_to
from deals import board, queries
from deals import rules as deal_rules
from deals.actions.deals import assign_deal, create_deal, delete_deal, restore_deal, update_deal
from deals.forms import DealForm, OwnerForm
from deals.models import Deal
from deals.views import _answers


@require_http_methods(["GET", "POST"])
def deal_new(request: HttpRequest) -> HttpResponse:
    """The form for a new deal of `pipeline`, in `stage`, of `account`; with `quick` only its name is asked."""
    r: Any = request
    if not rules.may_edit_anything(r.actor):
        raise Forbidden(_("You can view this organisation's deals, but not add any."))
    if request.method == "POST" and request.GET.get("quick"):
        given = {key: request.POST.get(key, "") for key in ("name", "stage")}
        return _made(request, create_deal(given, acting=r.actor))
    pipeline = board.chosen(queries.pipelines(), request.GET.get("pipeline", ""))
    if pipeline is None:
        raise Invalid(_("There is no pipeline yet. Set one up in the settings first."))
    initial = {key: request.GET[key] for key in ("stage", "account", "name") if request.GET.get(key)}
    form = DealForm(
        request.POST or None,
        initial=initial,
        stages=queries.open_stages(pipeline.pk),
        actor=r.actor,
        currency=r.organization.base_currency,
    )
    if request.method == "POST" and form.is_valid():
        values = form.values()
        if request.GET.get("contact"):
            values["contacts"] = [request.GET["contact"]]
        try:
            return _made(request, create_deal(values, acting=r.actor))
        except CrmError as error:
            refused(form, error)
    context = {"form": form, "deal": None, "action": request.get_full_path(), "back": path_to("deal_board")}
    return render_page(request, "deals/form.html", context, block="form", status=422 if form.errors else 200)


def _made(request: HttpRequest, deal: Deal) -> HttpResponse:
    return _answers.changed(request, deal, [deal.stage_id], _("%(deal)s added") % {"deal": deal.name})


@require_http_methods(["GET", "POST"])
def deal_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form of a deal; refused when the deal changed since the form was opened."""
    r: Any = request
    deal = access.get_visible(Deal, pk, r.actor, "stage")
    if not access.may_write(deal, r.actor):
        raise access.absent(Deal)
    stages = queries.open_stages(deal.pipeline_id)
    if deal.stage not in stages:
        stages.append(deal.stage)
    form = DealForm(
        request.POST or None,
        initial=DealForm.values_of(deal),
        stages=stages,
        actor=r.actor,
        currency=deal.currency,
        record=deal,
    )
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["version"]
        try:
            after = update_deal(pk, form.values(), acting=r.actor, version=version or 0)
        except CrmError as error:
            refused(form, error)
        else:
            stages_touched = {deal.stage_id, after.stage_id}
            return _answers.changed(request, after, stages_touched, _("Saved"), to=_after_handing_over(after, r))
    context = {"form": form, "deal": deal, "action": request.get_full_path(), "back": _answers.detail_url(deal)}
    return render_page(request, "deals/form.html", context, block="form", status=422 if form.errors else 200)


def _after_handing_over(deal: Deal, request: Any) -> str:
    """The deal's page, or the board where the actor does not see the deal any more."""
    seen = access.visible(Deal, request.actor).filter(pk=deal.pk).exists()
    return _answers.detail_url(deal) if seen else path_to("deal_board")


@require_http_methods(["GET", "POST"])
def deal_owner(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hands a deal to another member."""
    r: Any = request
    deal = access.get_visible(Deal, pk, r.actor)
    if not access.may_write(deal, r.actor):
        raise access.absent(Deal)
    if not deal_rules.may_manage(deal, r.actor):
        raise Forbidden(_("Only the owner, their manager or an admin can hand this deal over."))
    form = OwnerForm(request.POST or None, initial={"owner": str(deal.owner_id)})
    if request.method == "POST" and form.is_valid():
        try:
            after = assign_deal(pk, form.cleaned_data["owner"], acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            text = _("%(deal)s handed to %(owner)s") % {"deal": after.name, "owner": after.owner.name}
            return _answers.changed(request, after, [after.stage_id], text, to=_after_handing_over(after, r))
    context = {"form": form, "deal": deal, "back": _answers.detail_url(deal)}
    return render_page(request, "deals/owner.html", context, block="form", status=422 if form.errors else 200)


@require_POST
def deal_deletion(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts a deal into the recycle bin."""
    r: Any = request
    deal = delete_deal(pk, acting=r.actor)
    undo = path_to("deal_restoration", deal.pk)
    text = _("%(deal)s moved to the recycle bin") % {"deal": deal.name}
    return _answers.changed(request, deal, [deal.stage_id], text, undo=undo, to=path_to("deal_board"))


@require_POST
def deal_restoration(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes a deal out of the recycle bin."""
    r: Any = request
    deal = restore_deal(pk, acting=r.actor)
    undo = path_to("deal_deletion", deal.pk)
    return _answers.changed(request, deal, [deal.stage_id], _("%(deal)s is back") % {"deal": deal.name}, undo=undo)
