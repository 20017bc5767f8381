"""A deal's closure as a resource: made by winning or losing, removed by reopening."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm import access
from crm.lib.errors import Invalid
from crm.web.forms import add_error
from crm.web.htmx import render_page
from crm.web.urls import path_to
from deals.actions.closure import close_deal, reopen_deal
from deals.enums import StageKind
from deals.forms import CloseForm
from deals.models import Deal
from deals.views import _answers
from deals.views.stage import moved_text, touched, undo_url


@require_http_methods(["GET", "POST", "DELETE"])
def deal_closure(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET asks for the reason, POST closes (`outcome` is won or lost), DELETE reopens."""
    r: Any = request
    if request.method == "DELETE" or request.POST.get("outcome") == "reopen":
        moved = reopen_deal(pk, acting=r.actor)
        text = _("%(deal)s is open again, in %(stage)s") % {"deal": moved.deal.name, "stage": moved.deal.stage.name}
        return _answers.changed(request, moved.deal, touched(moved), text, undo=undo_url(moved))
    outcome = request.POST.get("outcome") or request.GET.get("outcome", "")
    if outcome not in (StageKind.WON, StageKind.LOST):
        raise Invalid
    deal = access.get_visible(Deal, pk, r.actor)
    if not access.may_write(deal, r.actor):
        raise access.absent(Deal)
    form = CloseForm(request.POST or None, outcome=outcome)
    if request.method == "POST" and form.is_valid():
        try:
            moved = close_deal(pk, outcome, acting=r.actor, **form.cleaned_data)
        except Invalid as error:
            add_error(form, error)
        else:
            text = moved_text(moved)
            return _answers.changed(request, moved.deal, touched(moved), text, undo=undo_url(moved))
    context = {"deal": deal, "form": form, "outcome": outcome, "action": path_to("deal_closure", pk)}
    context["back"] = _answers.detail_url(deal)
    return render_page(request, "deals/close.html", context, block="form", status=422 if form.errors else 200)
