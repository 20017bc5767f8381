"""The board's statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import QuerySet

from crm.lib.money import Rate
from crm.tenancy.backend.base import prepared_cursor
from deals.models import Deal
from deals.queries.sight import EVERYTHING, Sight, Where


class CardRow(NamedTuple):
    """What a card shows; the account's name is empty when the reader does not see the account."""

    id: UUID
    stage_id: UUID
    position: str
    name: str
    account_id: UUID | None
    account: str | None
    amount: int | None
    currency: str
    close_date: date | None
    next_step: str
    next_step_at: datetime | None
    owner_id: UUID
    owner: str
    stage_entered_at: datetime
    touched_at: datetime


@dataclass(slots=True)
class StageSums:
    """A stage, how many open deals the reader sees in it, and their sums by currency (minor units)."""

    id: UUID
    name: str
    kind: str
    tone: str
    probability: int
    rot_days: int
    count: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    weighted: dict[str, int] = field(default_factory=dict)
    rates: dict[str, Rate] = field(default_factory=dict)


class PipelineRow(NamedTuple):
    """A pipeline as the switcher shows it."""

    id: UUID
    name: str
    is_default: bool


@dataclass(slots=True)
class Setting:
    """What a board stands in: the pipelines, and the stages of each in order."""

    pipelines: list[PipelineRow] = field(default_factory=list)
    stages: dict[UUID, list[StageSums]] = field(default_factory=dict)


_SETTING_SQL = """
SELECT p.id, p.name, p.is_default, s.id, s.name, s.kind, s.tone, s.probability, s.rot_days
  FROM deals_pipeline p
  LEFT JOIN deals_stage s ON s.org_id = app_org() AND s.pipeline_id = p.id AND s.deleted_at IS NULL
 WHERE p.org_id = app_org() AND p.deleted_at IS NULL
 ORDER BY p.position, p.id, s.position, s.id
"""


def setting() -> Setting:
    """The pipelines with their stages. One statement; by the ORM it is tests.deals.test_board.setting_by_orm."""
    found = Setting()
    with prepared_cursor() as cursor:
        cursor.execute(_SETTING_SQL)
        for pipeline_id, name, is_default, *stage in cursor.fetchall():
            if pipeline_id not in found.stages:
                found.stages[pipeline_id] = []
                found.pipelines.append(PipelineRow(pipeline_id, name, is_default))
            if stage[0] is not None:
                found.stages[pipeline_id].append(StageSums(*stage))
    return found


def where_of(deals: QuerySet[Deal]) -> Where:
    """The condition of a queryset over deals' own columns, to stand in one of the statements below."""
    if not deals.query.where:
        return EVERYTHING
    try:
        sql, params = deals.query.get_compiler(connection=connection).compile(deals.query.where)
    except EmptyResultSet:
        return Where("false", ())
    except FullResultSet:
        return EVERYTHING
    if {alias for alias, used in deals.query.alias_refcount.items() if used} - {Deal._meta.db_table}:
        raise ValueError("A condition that joins other tables can't stand in the board's statements.")
    return Where(sql, tuple(params))


_OPEN = "deals_deal.org_id = app_org() AND deals_deal.status = 'open' AND deals_deal.deleted_at IS NULL"


HEADS = 3  # columns that a move or an event changes, at most
_SUMMED = f"SELECT stage_id, currency, amount, weighted FROM deals_deal WHERE {_OPEN}"  # noqa: S608 -- our own text
_SUMS_SQL = """
SELECT d.stage_id, d.currency, count(*), coalesce(sum(d.amount), 0), coalesce(sum(d.weighted), 0),
       (SELECT r.rate || ' ' || r.valid_from FROM crm_exchangerate r
         WHERE r.org_id = app_org() AND r.currency = d.currency AND r.valid_from <= %s
         ORDER BY r.valid_from DESC LIMIT 1)
  FROM ({deals}) d GROUP BY d.stage_id, d.currency ORDER BY d.currency
"""


def board_sums(stages: Sequence[StageSums], sight: Sight, where: Where = EVERYTHING, *, on: date) -> None:
    """Puts count and sums of what the actor sees, and `where` leaves, into the stages, with each currency's rate.

    One statement. The equivalent by the ORM is tests.deals.test_board.sums_by_orm.
    """
    by_id = {stage.id: stage for stage in stages}
    if where == EVERYTHING and len(by_id) <= HEADS:
        asked = _sums_of_heads(list(by_id), sight, on)
    else:
        asked = _sums(list(by_id), sight, where, on)
    with asked as cursor:
        for stage_id, currency, count, amount, weighted, rate in cursor.fetchall():
            stage = by_id[stage_id]
            stage.count += count
            stage.amounts[currency], stage.weighted[currency] = int(amount), int(weighted)
            if rate is not None:
                value, _blank, since = rate.partition(" ")
                stage.rates[currency] = Rate(Decimal(value), date.fromisoformat(since))


def _sums(stage_ids: list[UUID], sight: Sight, where: Where, on: date) -> Any:
    parts: list[str] = []
    params: list[Any] = [on]
    for branch in sight.branches(where):
        parts.append(f"{_SUMMED} AND deals_deal.stage_id = ANY(%s) AND {branch.sql}")
        params += [stage_ids, *branch.params]
    cursor = connection.cursor()
    cursor.execute(_SUMS_SQL.format(deals=" UNION ALL ".join(parts)), params)
    return cursor


def _sums_of_heads(stage_ids: list[UUID], sight: Sight, on: date) -> Any:
    """The same for the few columns that a move changes: planned once, and by the owners' index where the actor sees
    the deals of some owners (the fence of OFFSET 0 keeps the planner from reading whole columns)."""
    first, *others = sight.kept_branches(f"{_SUMMED} AND deals_deal.stage_id = ANY(%s)", stage_ids)
    if others:
        of_owners = (
            "SELECT d.* FROM unnest(%s::uuid[]) m(id) CROSS JOIN unnest(%s::uuid[]) st(id) CROSS JOIN LATERAL"  # noqa: S608 -- our own text
            f" ({_SUMMED} AND deals_deal.owner_id = m.id AND deals_deal.stage_id = st.id OFFSET 0) d"
        )
        first = Where(of_owners, (sight.actor.members_array, stage_ids))
    parts = [first, *others]
    cursor = prepared_cursor()
    deals = " UNION ALL ".join(part.sql for part in parts)
    cursor.execute(_SUMS_SQL.format(deals=deals), [on, *(value for part in parts for value in part.params)])
    return cursor


_CARD_COLUMNS = (
    "deals_deal.id, deals_deal.stage_id, deals_deal.position, deals_deal.name, deals_deal.account_id,"
    " deals_deal.amount, deals_deal.currency, deals_deal.close_date, deals_deal.next_step, deals_deal.next_step_at,"
    " deals_deal.owner_id, deals_deal.stage_entered_at, deals_deal.touched_at"
)
_NAMED = """
SELECT c.id, c.stage_id, c.position, c.name, c.account_id, a.name, c.amount, c.currency, c.close_date, c.next_step,
       c.next_step_at, c.owner_id, coalesce(nullif(u.name, ''), split_part(u.email, '@', 1)), c.stage_entered_at,
       c.touched_at
  FROM {cards} c
  JOIN crm_membership m ON m.org_id = app_org() AND m.id = c.owner_id
  JOIN crm_user u ON u.id = m.user_id
  LEFT JOIN contacts_account a ON a.org_id = app_org() AND a.id = c.account_id AND a.deleted_at IS NULL
 ORDER BY {order}c.position, c.id
"""


def board_cards(
    stage_ids: Sequence[UUID],
    sight: Sight,
    where: Where = EVERYTHING,
    *,
    limit: int,
    after: tuple[str, UUID] | None = None,
) -> list[CardRow]:
    """The first `limit` cards of each column, in order, after the card `after` (its position and id) where given.

    One statement. The equivalent by the ORM is tests.deals.test_board.cards_by_orm.
    """
    parts: list[str] = []
    params: list[Any] = [list(stage_ids)]
    beyond = " AND (deals_deal.position, deals_deal.id) > (%s, %s)" if after else ""
    for branch in sight.branches(where):
        parts.append(
            f"(SELECT {_CARD_COLUMNS} FROM deals_deal"  # noqa: S608 -- our own text
            f" WHERE {_OPEN} AND deals_deal.stage_id = st.id AND {branch.sql}{beyond}"
            f" ORDER BY deals_deal.position, deals_deal.id LIMIT {int(limit)})"
        )
        params += [*branch.params, *(after or ())]
    column = parts[0]
    if len(parts) > 1:
        union = " UNION ALL ".join(parts)
        column = f"(SELECT * FROM ({union}) b ORDER BY b.position, b.id LIMIT {int(limit)})"  # noqa: S608 -- our own text
    cards = f"unnest(%s::uuid[]) WITH ORDINALITY st(id, place) CROSS JOIN LATERAL {column}"
    return _cards(_NAMED.format(cards=cards, order="st.place, "), params)


def cards_by_id(pipeline_id: UUID, ids: Sequence[UUID], sight: Sight, where: Where = EVERYTHING) -> list[CardRow]:
    """Those of the deals that stand on the actor's board of a pipeline now: open, seen, and left by `where`.

    One statement. The equivalent by the ORM is tests.deals.test_board.cards_by_orm.
    """
    named = (
        f"SELECT {_CARD_COLUMNS} FROM deals_deal WHERE {_OPEN}"  # noqa: S608 -- our own text
        " AND deals_deal.id = ANY(%s) AND deals_deal.pipeline_id = %s"
    )
    # Without filters the statement is always the same, and finds its rows by their ids whatever the values.
    fixed = where == EVERYTHING
    if fixed:
        parts = sight.kept_branches(named, list(ids), pipeline_id)
    else:
        parts = [
            Where(f"{named} AND {branch.sql}", (list(ids), pipeline_id, *branch.params))
            for branch in sight.branches(where)
        ]
    cards = " UNION ALL ".join(part.sql for part in parts)
    params = [value for part in parts for value in part.params]
    return _cards(_NAMED.format(cards=f"({cards})", order=""), params, fixed=fixed)


def _cards(sql: str, params: list[Any], *, fixed: bool = False) -> list[CardRow]:
    with prepared_cursor() if fixed else connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [CardRow._make(row) for row in cursor.fetchall()]
