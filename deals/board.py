"""The board put together: which pipeline, which filters, and what a page or a part of it shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access
from crm.lib import money
from crm.lib.errors import NotFound
from crm.lib.money import Total
from crm.records import lists, schema
from crm.records.filters.limits import stopped_in_time
from crm.tenancy.context import Actor
from deals import queries
from deals.cards import Card, CardMaker, Column, column_of
from deals.enums import StageKind
from deals.queries import EVERYTHING, Sight, StageSums, Where
from deals.records import DEAL

CARDS = 50  # of a column at first, and with each scroll to its end
# Parameters of the board itself; all others are filters, the same as the list's.
OWN = ("pipeline", "column", "deal", "after", "block", "sort", "version", "outcome")


P = TypeVar("P", bound=Any)  # a pipeline, as a row or as a model
A = ParamSpec("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class View:
    """One reader's view of a pipeline: what they see, filtered how, summed up in which currency, on which day."""

    pipeline_id: UUID
    sight: Sight
    base: str
    filters: lists.ListQuery
    where: Where
    today: date

    def sum_up(self, stages: Sequence[StageSums]) -> None:
        """Puts counts and sums into stages."""
        if stages:
            queries.board_sums(stages, self.sight, self.where, on=self.today)


@dataclass(slots=True)
class Board:
    """A whole board."""

    columns: list[Column]
    won: UUID | None
    lost: UUID | None
    total: Total
    weighted: Total
    count: int
    shows: frozenset[str]  # the sums that the reader's role sees


@dataclass(slots=True)
class Changes:
    """What changed on a board: cards to put in place, deals that are not on it (any more), heads of columns."""

    cards: list[tuple[UUID, Card]] = field(default_factory=list)  # with the stage of each
    removed: list[UUID] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)


def _stopped_in_time(read: Callable[Concatenate[View, A], R]) -> Callable[Concatenate[View, A], R]:
    """A read of a view whose statements are stopped after FILTER_TIMEOUT, where the view has a filter."""

    @wraps(read)
    def limited(view: View, *args: A.args, **kwargs: A.kwargs) -> R:
        with stopped_in_time() if view.filters.is_filtered else nullcontext():
            return read(view, *args, **kwargs)

    return limited


def filters_of(params: QueryDict, actor: Actor) -> lists.ListQuery:
    """The filters in a board's URL. Raises Invalid for one that deals do not have."""
    kept = QueryDict(mutable=True)
    for name in params:
        if name not in OWN:
            kept.setlist(name, params.getlist(name))
    return lists.parse_query(schema.record_type(DEAL.key, actor), kept, actor)


def view_of(params: QueryDict, pipeline_id: UUID, actor: Actor, base: str) -> View:
    """The view that a URL asks for."""
    filters = filters_of(params, actor)
    rows = lists.filtered(schema.record_type(DEAL.key, actor), filters, actor) if filters.is_filtered else None
    where = queries.where_of(rows) if rows is not None else EVERYTHING
    return View(pipeline_id, Sight(actor), base, filters, where, timezone.localdate())


def chosen(pipelines: Sequence[P], wanted: str) -> P | None:
    """The pipeline that a URL names, else the default one; None where there is none at all. Raises NotFound."""
    if wanted:
        found = next((p for p in pipelines if str(p.id) == wanted), None)
        if found is None:
            raise NotFound(_("This pipeline is not here any more."))
        return found
    return next((p for p in pipelines if p.is_default), pipelines[0] if pipelines else None)


def id_of(text: str) -> UUID:
    """An id from a URL. Raises NotFound."""
    if not access.is_uuid(text):
        raise NotFound
    return UUID(text)


@_stopped_in_time
def whole(view: View, stages: Sequence[StageSums]) -> Board:
    """The board of a pipeline's stages, with the first cards of each column. Two statements."""
    wanted = view.filters.filters.get("stage", ())
    shown = [s for s in stages if s.kind == StageKind.OPEN and (not wanted or str(s.id) in wanted)]
    view.sum_up(shown)
    maker = CardMaker(shown, view.base, view.sight)
    cards: dict[UUID, list[Card]] = {s.id: [] for s in shown}
    for row in queries.board_cards(list(cards), view.sight, view.where, limit=CARDS) if shown else ():
        cards[row.stage_id].append(maker.card(row))
    columns = [column_of(stage, view.base, cards[stage.id], maker.seen) for stage in shown]
    return Board(
        columns,
        won=next((s.id for s in stages if s.kind == StageKind.WON), None),
        lost=next((s.id for s in stages if s.kind == StageKind.LOST), None),
        total=_all(columns, view.base, "amounts"),
        weighted=_all(columns, view.base, "weighted"),
        count=sum(column.stage.count for column in columns),
        shows=maker.seen & {"amount", "weighted"},
    )


def _all(columns: Sequence[Column], base: str, of: str) -> Total:
    amounts: dict[str, int] = {}
    rates: dict[str, Any] = {}
    for column in columns:
        for currency, minor in getattr(column.stage, of).items():
            amounts[currency] = amounts.get(currency, 0) + minor
        rates.update(column.stage.rates)
    return money.total(amounts, base, rates)


@_stopped_in_time
def further(view: View, stage: StageSums, after: str) -> Column:
    """The next cards of a column after "<position>,<id>". Two statements: the rates come with the sums."""
    position, _comma, card = after.partition(",")
    if not access.is_uuid(card):
        raise NotFound
    view.sum_up([stage])
    place = (position, UUID(card))
    rows = queries.board_cards([stage.id], view.sight, view.where, limit=CARDS + 1, after=place)
    maker = CardMaker([stage], view.base, view.sight)
    column = column_of(stage, view.base, [maker.card(row) for row in rows[:CARDS]], maker.seen)
    column.more = len(rows) > CARDS
    return column


@_stopped_in_time
def changes(
    view: View, stages: Sequence[StageSums], deal_ids: Collection[UUID], stage_ids: Collection[UUID]
) -> Changes:
    """These deals as they stand on the board now, and the heads of these columns. Two statements at most.

    A deal that is not on it is told as removed, whatever the reason: nothing is learned of what one may not see.
    """
    rows = queries.cards_by_id(view.pipeline_id, list(deal_ids), view.sight, view.where) if deal_ids else []
    needed = {*stage_ids, *(row.stage_id for row in rows)}
    heads = [s for s in stages if s.id in needed and s.kind == StageKind.OPEN]
    view.sum_up(heads)
    maker = CardMaker(heads, view.base, view.sight)
    seen = {row.id for row in rows}
    return Changes(
        cards=[(row.stage_id, maker.card(row)) for row in rows],
        removed=[pk for pk in deal_ids if pk not in seen],
        columns=[column_of(s, view.base, [], maker.seen) for s in heads],
    )
