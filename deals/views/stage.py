"""A deal's stage as a resource: putting it moves the deal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm import access
from crm.lib.errors import CrmError, Invalid
from crm.web.answers import refused
from crm.web.errors import wants_json
from crm.web.htmx import render_page
from crm.web.urls import path_to
from deals import board, positions, queries
from deals.actions.stages import Moved, move_deal, undo_move, undo_reorder
from deals.cards import age_of
from deals.enums import DealStatus, StageKind
from deals.forms import CloseForm
from deals.models import Deal
from deals.views import _answers


@require_http_methods(["GET", "POST", "PUT"])
def deal_stage(request: HttpRequest, pk: UUID) -> HttpResponse:
    """PUT moves a deal to `stage`, between the cards `before` and `after`; a lost stage wants a `reason`. GET asks for
    that, POST answers it.

    The board's script gets where the card is now. It has put the card's value from one column's head to the other's by
    itself; the event of the move then brings every open board, this one too, the heads as they are.
    """
    r: Any = request
    if request.method != "PUT":
        return _with_reason(request, pk)
    values = _answers.sent(request)
    moved = move_deal(
        pk,
        str(values.get("stage") or ""),
        before=_card(values.get("before")),
        after=_card(values.get("after")),
        reason=str(values.get("reason") or ""),
        note=str(values.get("note") or ""),
        version=_answers.version_of(values),
        acting=r.actor,
    )
    if wants_json(request):
        return JsonResponse({**_place(moved), "text": moved_text(moved), "undo": undo_url(moved)})
    return _answers.changed(request, moved.deal, touched(moved), moved_text(moved), undo=undo_url(moved))


def _with_reason(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form that asks why a deal comes to the closed stage of the query, where a list or a board moves it there."""
    r: Any = request
    deal = access.get_visible(Deal, pk, r.actor)
    if not access.may_write(deal, r.actor):
        raise access.absent(Deal)
    stage = queries.stage(board.id_of(request.GET.get("stage", "")))
    if stage.kind == StageKind.OPEN:
        raise Invalid
    form = CloseForm(request.POST or None, outcome=stage.kind)
    if request.method == "POST" and form.is_valid():
        version = _answers.version_of(request.GET)
        try:
            moved = move_deal(pk, stage.pk, version=version, acting=r.actor, **form.cleaned_data)
        except CrmError as error:
            refused(form, error)
        else:
            text, undo = moved_text(moved), undo_url(moved)
            return _answers.changed(request, moved.deal, touched(moved), text, undo=undo, field="stage")
    context = {"deal": deal, "form": form, "outcome": stage.kind, "action": request.get_full_path()}
    context["back"] = _answers.detail_url(deal)
    return render_page(request, "deals/close.html", context, block="form", status=422 if form.errors else 200)


def _card(value: Any) -> UUID | None:
    if not value:
        return None
    if not access.is_uuid(str(value)):
        raise Invalid
    return UUID(str(value))


def _place(moved: Moved) -> dict[str, Any]:
    """Where the card is now, and what a move changes of it."""
    deal = moved.deal
    if deal.status != DealStatus.OPEN:
        return {"removed": [deal.pk]}
    rot, text = age_of(deal.stage_entered_at, deal.touched_at, deal.stage.rot_days, timezone.now())
    return {"moved": {"id": deal.pk, "stage": deal.stage_id, "position": deal.position, "rot": rot, "age": text}}


def touched(moved: Moved) -> set[UUID]:
    """The stages whose columns look different after a move."""
    return {moved.came_from.pk, moved.deal.stage_id}


def moved_text(moved: Moved) -> str:
    """What a toast says about a move; nothing about a card that stayed where it was."""
    if moved.change is None:
        return _("%(deal)s moved") % {"deal": moved.deal.name} if moved.former else ""
    return _("%(deal)s moved to %(stage)s") % {"deal": moved.deal.name, "stage": moved.deal.stage.name}


def undo_url(moved: Moved) -> str:
    """Where a toast's Undo posts to. A place in a column is in no history, so its address says it."""
    values: dict[str, Any] = {"version": moved.deal.version}
    if moved.change is None:
        if not positions.is_key(moved.former):
            return ""
        values |= {"position": moved.deal.position, "former": moved.former}
    return f"{path_to('deal_stage_undo', moved.deal.pk)}?{urlencode(values)}"


@require_POST
def deal_stage_undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes the move that made `version` back, unless the deal has changed since.

    With `former` it was a move within a column, to `position`.
    """
    r: Any = request
    version, former = _answers.version_of(request.GET), request.GET.get("former")
    if version is None:
        raise Invalid
    if former is None:
        moved = undo_move(pk, version=version, acting=r.actor)
        text = _("%(deal)s is back in %(stage)s") % {"deal": moved.deal.name, "stage": moved.deal.stage.name}
    else:
        position = request.GET.get("position", "")
        moved = undo_reorder(pk, version=version, position=position, former=former, acting=r.actor)
        text = _("%(deal)s is back where it was") % {"deal": moved.deal.name}
    return _answers.changed(request, moved.deal, touched(moved), text, field="stage")
