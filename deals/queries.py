"""Reads of deals that join, and all hand-written SQL of deals. Each hand-written one has an equivalence test."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Count, Min, QuerySet

from crm import access
from crm.lib.money import Rate
from crm.tenancy.context import Actor, elevated
from deals.enums import DealStatus, StageKind
from deals.models import Deal, Pipeline, Stage

# The card that the moved one is put above (or below), and the next one on the other side of the gap. Ties, which a
# loader may have left, are passed by as one.
_GAP_SQL = """
WITH anchor AS (
    SELECT a.position, a.id = %(before)s AS is_before
      FROM deals_deal a
     WHERE a.org_id = app_org() AND a.id IN (%(before)s, %(after)s) AND a.stage_id = %(stage)s AND a.id <> %(deal)s
       AND a.status = 'open' AND a.deleted_at IS NULL
     ORDER BY a.id = %(before)s DESC LIMIT 1
)
SELECT anchor.position, anchor.is_before,
       CASE WHEN anchor.is_before THEN (
                SELECT max(d.position) FROM deals_deal d
                 WHERE d.org_id = app_org() AND d.stage_id = %(stage)s AND d.status = 'open' AND d.deleted_at IS NULL
                   AND d.position < anchor.position AND d.id <> %(deal)s)
            ELSE (
                SELECT min(d.position) FROM deals_deal d
                 WHERE d.org_id = app_org() AND d.stage_id = %(stage)s AND d.status = 'open' AND d.deleted_at IS NULL
                   AND d.position > coalesce(anchor.position, '') AND d.id <> %(deal)s)
       END
  FROM (SELECT 1) one LEFT JOIN anchor ON true
"""


def gap(stage_id: UUID, deal_id: UUID, before: UUID | None, after: UUID | None) -> tuple[str | None, str | None]:
    """The keys between which a card goes: above `before`, else below `after`, else at the top of the column.

    A neighbour that is not (any more) in the column does not count. None stands for the column's end. Cards that the
    actor can't see count too, so the caller is elevated.
    """
    with connection.cursor() as cursor:
        params = {"stage": stage_id, "deal": deal_id, "before": before, "after": after}
        cursor.execute(_GAP_SQL, params)
        anchor, is_before, other = cursor.fetchone()
    return (other, anchor) if is_before else (anchor, other)


def first_positions(stage_ids: Collection[UUID]) -> dict[UUID, str]:
    """The key of the topmost open card of each stage that has one. The caller is elevated, as for `gap`."""
    rows = Deal.objects.filter(stage_id__in=stage_ids, status=DealStatus.OPEN).values("stage_id").order_by()
    return dict(rows.annotate(top=Min("position")).values_list("stage_id", "top"))


def pipelines() -> list[Pipeline]:
    """The pipelines in their order."""
    return list(Pipeline.objects.order_by("position", "pk"))


def open_stages(pipeline_id: UUID) -> list[Stage]:
    """The stages of a pipeline that deals go through, in order."""
    return list(Stage.objects.filter(pipeline_id=pipeline_id, kind=StageKind.OPEN).order_by("position", "pk"))


def stage(pk: UUID) -> Stage:
    """A stage of the organisation. Raises NotFound."""
    found = Stage.objects.filter(pk=pk).first()
    if found is None:
        raise access.absent(Stage)
    return found


def stages_with_counts(pipeline_id: UUID) -> list[Any]:
    """The stages of a pipeline in order, each with `deal_count`: everybody's deals, the recycle bin's too.

    For those who set up pipelines; they may not see all of these deals, but must know whether a stage is empty.
    """
    with elevated("how many deals a stage holds"):
        counts = dict(
            Deal.everything.filter(pipeline_id=pipeline_id)
            .values_list("stage_id")
            .annotate(count=Count("id"))
            .order_by()
        )
    found = list(Stage.objects.filter(pipeline_id=pipeline_id).order_by("position", "pk"))
    for row in found:
        row.deal_count = counts.get(row.pk, 0)
    return found


# ---------------------------------------------------------------- the board


class Where(NamedTuple):
    """A condition over deals_deal, with its parameters."""

    sql: str
    params: tuple[Any, ...]


EVERYTHING = Where("true", ())


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
    writable: bool


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


def where_of(deals: QuerySet[Deal]) -> Where:
    """The condition of a queryset over deals' own columns, to stand in one of the statements below."""
    compiler = deals.query.get_compiler(connection=connection)
    if not deals.query.where:
        return EVERYTHING
    sql, params = compiler.compile(deals.query.where)
    if {alias for alias, used in deals.query.alias_refcount.items() if used} - {Deal._meta.db_table}:
        raise ValueError("A condition that joins other tables can't stand in the board's statements.")
    return Where(sql, tuple(params))


_SHARED = """deals_deal.id IN (
    SELECT s.content_object_id FROM deals_dealshare s
     WHERE s.org_id = app_org() AND (s.until IS NULL OR s.until > now()) AND s.member_id = %s{level}
    UNION ALL
    SELECT s.content_object_id FROM deals_dealshare s
     WHERE s.org_id = app_org() AND (s.until IS NULL OR s.until > now()) AND s.team_id = ANY(%s){level})"""


def _branches(actor: Actor, where: Where) -> list[Where]:
    """What the actor sees, as disjoint conditions that each use an index of their own (see crm.access.branches)."""
    if actor.read == "all":
        return [where]
    members = list(actor.members)
    own = Where(f"deals_deal.owner_id = ANY(%s) AND {where.sql}", (members, *where.params))
    shared = Where(
        f"NOT deals_deal.owner_id = ANY(%s) AND {_SHARED.format(level='')} AND {where.sql}",
        (members, actor.member_id, list(actor.teams), *where.params),
    )
    return [own, shared]


def _writable(actor: Actor) -> Where:
    """Whether the actor may change a deal that they see (see crm.access.writable_q)."""
    if actor.write != "own":
        return Where("true" if actor.write == "all" else "false", ())
    written = _SHARED.format(level=" AND s.level = 'write'")
    return Where(
        f"(deals_deal.owner_id = ANY(%s) OR {written})", (list(actor.members), actor.member_id, list(actor.teams))
    )


_OPEN = "deals_deal.org_id = app_org() AND deals_deal.status = 'open' AND deals_deal.deleted_at IS NULL"

_SUMS_SQL = """
SELECT st.id, st.name, st.kind, st.tone, st.probability, st.rot_days, s.currency, s.count, s.amount, s.weighted,
       r.rate, r.valid_from
  FROM deals_stage st
  LEFT JOIN LATERAL (
       SELECT d.currency, count(*) AS count, coalesce(sum(d.amount), 0) AS amount,
              coalesce(sum(d.weighted), 0) AS weighted
         FROM ({branches}) d GROUP BY d.currency) s ON st.kind = 'open'
  LEFT JOIN LATERAL (
       SELECT x.rate, x.valid_from FROM crm_exchangerate x
        WHERE x.org_id = app_org() AND x.currency = s.currency AND x.valid_from <= %s
        ORDER BY x.valid_from DESC LIMIT 1) r ON s.currency <> %s
 WHERE st.org_id = app_org() AND st.pipeline_id = %s AND st.deleted_at IS NULL {only}
 ORDER BY st.position, st.id, s.currency
"""


def board_sums(
    pipeline_id: UUID,
    actor: Actor,
    *,
    base: str,
    on: date,
    where: Where = EVERYTHING,
    only: Sequence[UUID] | None = None,
) -> list[StageSums]:
    """The stages of a pipeline in order, with count and sums of what the actor sees and `where` leaves.

    Each foreign currency comes with the rate to `base` that holds `on` that day, if there is one. `only` names the
    stages to look at. One statement. The equivalent in Python is tests.deals.test_board.sums_by_orm.
    """
    parts, params = [], []
    for branch in _branches(actor, where):
        parts.append(
            "SELECT deals_deal.currency, deals_deal.amount, deals_deal.weighted FROM deals_deal"  # noqa: S608 -- parameters
            f" WHERE {_OPEN} AND deals_deal.stage_id = st.id AND {branch.sql}"
        )
        params.extend(branch.params)
    sql = _SUMS_SQL.format(branches=" UNION ALL ".join(parts), only="AND st.id = ANY(%s)" if only is not None else "")
    params += [on, base, pipeline_id, *([list(only)] if only is not None else [])]
    found: dict[UUID, StageSums] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        for *stage, currency, count, amount, weighted, rate, since in cursor.fetchall():
            sums = found.setdefault(stage[0], StageSums(*stage))
            if currency is not None:
                sums.count += count
                sums.amounts[currency], sums.weighted[currency] = int(amount), int(weighted)
            if rate is not None:
                sums.rates[currency] = Rate(Decimal(rate), since)
    return list(found.values())


_CARD_COLUMNS = (
    "deals_deal.id, deals_deal.stage_id, deals_deal.position, deals_deal.name, deals_deal.account_id,"
    " deals_deal.amount, deals_deal.currency, deals_deal.close_date, deals_deal.next_step, deals_deal.next_step_at,"
    " deals_deal.owner_id, deals_deal.stage_entered_at, deals_deal.touched_at"
)

_NAMED = """
SELECT c.id, c.stage_id, c.position, c.name, c.account_id, a.name, c.amount, c.currency, c.close_date, c.next_step,
       c.next_step_at, c.owner_id, coalesce(nullif(u.name, ''), split_part(u.email, '@', 1)), c.stage_entered_at,
       c.touched_at, c.writable
  FROM {cards} c
  JOIN crm_membership m ON m.org_id = app_org() AND m.id = c.owner_id
  JOIN crm_user u ON u.id = m.user_id
  LEFT JOIN contacts_account a ON a.org_id = app_org() AND a.id = c.account_id AND a.deleted_at IS NULL
 ORDER BY {order}c.position, c.id
"""


def board_cards(
    stage_ids: Sequence[UUID],
    actor: Actor,
    *,
    where: Where = EVERYTHING,
    limit: int,
    after: tuple[str, UUID] | None = None,
) -> list[CardRow]:
    """The first `limit` cards of each column, in order, after the card `after` (its position and id) where given.

    One statement. The equivalent in Python is tests.deals.test_board.cards_by_orm.
    """
    parts: list[str] = []
    params: list[Any] = [list(stage_ids)]
    writable = _writable(actor)
    beyond = " AND (deals_deal.position, deals_deal.id) > (%s, %s)" if after else ""
    for branch in _branches(actor, where):
        parts.append(
            f"(SELECT {_CARD_COLUMNS}, {writable.sql} AS writable FROM deals_deal"  # noqa: S608 -- our own text
            f" WHERE {_OPEN} AND deals_deal.stage_id = st.id AND {branch.sql}{beyond}"
            f" ORDER BY deals_deal.position, deals_deal.id LIMIT {int(limit)})"
        )
        params += [*writable.params, *branch.params, *(after or ())]
    column = parts[0]
    if len(parts) > 1:
        column = f"(SELECT * FROM ({' UNION ALL '.join(parts)}) b ORDER BY b.position, b.id LIMIT {int(limit)})"  # noqa: S608 -- our own text
    cards = f"unnest(%s::uuid[]) WITH ORDINALITY st(id, place) CROSS JOIN LATERAL {column}"
    return _cards(_NAMED.format(cards=cards, order="st.place, "), params)


def cards_by_id(pipeline_id: UUID, ids: Sequence[UUID], actor: Actor, *, where: Where = EVERYTHING) -> list[CardRow]:
    """Those of the deals that stand on the actor's board of a pipeline now: open, seen, and left by `where`."""
    parts: list[str] = []
    params: list[Any] = []
    writable = _writable(actor)
    for branch in _branches(actor, where):
        parts.append(
            f"SELECT {_CARD_COLUMNS}, {writable.sql} AS writable FROM deals_deal"  # noqa: S608 -- our own text
            f" WHERE {_OPEN} AND deals_deal.id = ANY(%s) AND deals_deal.pipeline_id = %s AND {branch.sql}"
        )
        params += [*writable.params, list(ids), pipeline_id, *branch.params]
    return _cards(_NAMED.format(cards=f"({' UNION ALL '.join(parts)})", order=""), params)


def _cards(sql: str, params: list[Any]) -> list[CardRow]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [CardRow(*row) for row in cursor.fetchall()]
