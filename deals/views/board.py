"""The board: as a page, further cards of a column, and what changed on it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from crm import queries as kernel
from crm import rules
from crm.lib.errors import NotFound
from crm.records import schema
from crm.records.limits import seen_keys
from crm.views.records import chips_of
from crm.web.cards import deal_card
from crm.web.components import components
from crm.web.htmx import render_block, render_page
from crm.web.urls import path_to
from deals import board, queries
from deals.enums import StageKind
from deals.queries import StageSums
from deals.records import DEAL

TEMPLATE = "deals/board.html"
# Named periods that lists understand.
PERIODS = {
    "overdue": gettext_lazy("Overdue"),
    "this_week": gettext_lazy("This week"),
    "this_month": gettext_lazy("This month"),
    "this_quarter": gettext_lazy("This quarter"),
}
MOST_DEALS = 200  # that one question about changes may name; beyond it a page loads its board again


def view_for(request: Any, pipeline_id: UUID) -> board.View:
    """The view of a pipeline that the request's URL asks for."""
    return board.view_of(request.GET, pipeline_id, request.actor, request.organization.base_currency)


@require_GET
def deal_board(request: HttpRequest) -> HttpResponse:
    """The board of a pipeline; `block=filters` answers the filter form, htmx gets the board alone."""
    r: Any = request
    setting = queries.setting()
    pipeline = board.chosen(setting.pipelines, request.GET.get("pipeline", ""))
    if pipeline is None:
        return render_page(request, "deals/no_pipeline.html", {"may_configure": rules.may_configure(r.actor)})
    view = view_for(request, pipeline.id)
    if request.GET.get("block") == "filters":
        return render_page(request, "deals/filters.html", _filter_context(view, setting.stages[pipeline.id], r))
    context = {
        "pipeline": pipeline,
        "pipelines": setting.pipelines,
        "board": board.whole(view, setting.stages[pipeline.id]),
        "query": view.filters,
        "query_string": _query_string(view, pipeline.id),
        "filter_url": f"?pipeline={pipeline.id}&block=filters&{view.filters.url()[1:]}",
        "chips": chips(view, r) if view.filters.is_filtered else [],
        "may_edit": rules.may_edit_anything(r.actor),
        "may_configure": rules.may_configure(r.actor),
        "currency": r.organization.base_currency,
    }
    return render_page(request, TEMPLATE, context, block="board")


def _query_string(view: board.View, pipeline_id: UUID) -> str:
    """What every question of this page carries: the pipeline and the filters."""
    return "&".join(part for part in (f"pipeline={pipeline_id}", view.filters.url()[1:]) if part)


def chips(view: board.View, request: Any) -> list[dict[str, str]]:
    """What is filtered by, in words, each with the address that takes it away."""
    found = [
        {"field": chip.field, "operator": chip.operator, "text": chip.value, "href": href, "icon": "list-filter"}
        for chip, href in chips_of(schema.record_type(DEAL.key, request.actor), view.filters, request.actor)
    ]
    if view.filters.q:
        text, href = view.filters.q, view.filters.url(q="")
        found.append({"field": _("Search"), "operator": "", "text": text, "href": href, "icon": "search"})
    return [{**chip, "href": f"?pipeline={view.pipeline_id}&{chip['href'][1:]}"} for chip in found]


def _filter_context(view: board.View, stages: list[StageSums], request: Any) -> dict[str, Any]:
    return {
        "pipeline_id": view.pipeline_id,
        "filters": view.filters.filters,
        "tree": view.filters.text,
        "members": kernel.members(),
        "stages": [(s.id, s.name) for s in stages if s.kind == StageKind.OPEN],
        "periods": list(PERIODS.items()),
        "currency": request.organization.base_currency,
        "sees": seen_keys(schema.record_type(DEAL.key, request.actor), request.actor),
    }


def _stages(pipeline_id: UUID) -> list[StageSums]:
    """The stages of a pipeline. Raises NotFound."""
    found = queries.setting().stages.get(pipeline_id)
    if found is None:
        raise NotFound
    return found


@require_GET
def board_cards(request: HttpRequest) -> HttpResponse:
    """The next cards of the column `column` after the card `after`, and the mark that asks for more."""
    pipeline_id = board.id_of(request.GET.get("pipeline", ""))
    view = view_for(request, pipeline_id)
    stage_id = board.id_of(request.GET.get("column", ""))
    stage = next((s for s in _stages(pipeline_id) if s.id == stage_id), None)
    if stage is None:
        raise NotFound
    column = board.further(view, stage, request.GET.get("after", ""))
    context = {"column": column, "query_string": _query_string(view, pipeline_id)}
    return HttpResponse(render_block(request, "deals/cards.html", "cards", context))


@require_GET
def board_changes(request: HttpRequest) -> HttpResponse:
    """The deals `deal` and the heads of the columns `column` as they are now, as JSON with pieces of HTML."""
    pipeline_id = board.id_of(request.GET.get("pipeline", ""))
    deal_ids = [board.id_of(text) for text in request.GET.getlist("deal")[:MOST_DEALS]]
    stage_ids = [board.id_of(text) for text in request.GET.getlist("column")[:MOST_DEALS]]
    found = board.changes(view_for(request, pipeline_id), _stages(pipeline_id), deal_ids, stage_ids)
    return JsonResponse(pieces(found))


def pieces(found: board.Changes) -> dict[str, Any]:
    """Changes as the board's script takes them: where each card goes, and its HTML."""
    ui = components()
    return {
        "cards": [
            {"id": card.id, "stage": stage, "position": card.position, "html": deal_card(card)}
            for stage, card in found.cards
        ],
        "removed": found.removed,
        "columns": [{"id": column.id, "html": ui.column_head(column)} for column in found.columns],
    }


def board_url(pipeline_id: UUID) -> str:
    """The board of a pipeline."""
    return f"{path_to('deal_board')}?pipeline={pipeline_id}"
