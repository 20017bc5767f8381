"""What the home page reads of deals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.utils import timezone

from crm import access
from crm.lib.dates import Quarter
from crm.lib.money import Rate
from crm.queries import exchange_rates
from crm.records import schema
from crm.records.limits import seen_keys
from crm.tenancy.context import Actor
from deals import rules
from deals.enums import DealStatus
from deals.models import Deal
from deals.queries.board import setting
from deals.rules import Rot

SHOWN = 6
HIDDEN = "…"  # stands for a next step that the reader doesn't see: there may be one
COLUMNS = (
    "id", "name", "account_id", "account__name", "amount", "currency", "close_date", "stage__name", "stage__tone",
    "stage__rot_days", "touched_at", "next_step",
)  # fmt: skip


@dataclass(slots=True)
class Figures:
    """Open deals in numbers, and what was won in the quarter; sums are minor units by currency."""

    count: int = 0
    at_risk: int = 0
    closing: int = 0  # this month, the days that have gone by among them
    won: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    weighted: dict[str, int] = field(default_factory=dict)
    closing_amounts: dict[str, int] = field(default_factory=dict)
    won_amounts: dict[str, int] = field(default_factory=dict)
    rates: dict[str, Rate] = field(default_factory=dict)  # of those currencies, as of today


@dataclass(frozen=True, slots=True)
class DealLine:
    """A deal in a list of the home page. `reason` is why it is at risk: overdue, rotting, no_step or ""."""

    id: UUID
    name: str
    account_id: UUID | None
    account: str
    amount: int | None
    currency: str
    close_date: date | None
    stage: str
    tone: str
    reason: str
    idle_days: int


def at_risk_q(today: date, now: datetime, seen: Collection[str]) -> Q:
    """Deals whose close date has gone by, that have no next step, or that rot; fields that the reader doesn't see put
    no deal at risk.

    The stages are read first: joined, each of thousands of deals would look its stage up.
    """
    stages: dict[int, list[UUID]] = defaultdict(list)
    for stage in chain.from_iterable(setting().stages.values()):
        stages[stage.rot_days].append(stage.id)
    found = Q(close_date__lt=today) if "close_date" in seen else Q(pk__in=[])
    found |= Q(next_step="") if "next_step" in seen else Q(pk__in=[])
    for days, ids in stages.items():
        if days > 0:
            found |= Q(stage_id__in=ids, touched_at__lte=now - timedelta(days=days))
    return found


class OpenDeals:
    """The open deals of one reader, their own or all that they see: what a page asks of them more than once.

    One statement looks for shared deals where that matters, one reads the stages, one the rates, then each method
    takes one. `today` is the reader's day, `quarter` the organisation's.
    """

    def __init__(self, actor: Actor, *, mine: bool, today: date, quarter: Quarter) -> None:
        rows = Deal.objects.all()
        self.mine, self.today, self.quarter, self.now = mine, today, quarter, timezone.now()
        self.seen = seen_keys(schema.record_type("deal", actor), actor)
        reached = [rows.filter(owner_id=actor.member_id)] if mine else access.branches(rows, actor)
        self._parts = [part.filter(status=DealStatus.OPEN) for part in reached]
        in_quarter = {"closed_on__gte": quarter.begins, "closed_on__lt": quarter.ends}
        self._won = [part.filter(status=DealStatus.WON, **in_quarter) for part in reached]

    @cached_property
    def figures(self) -> Figures:
        """The deals in numbers."""
        found = Figures()
        for currency, number, risk, total, sure, close, close_total, won, won_total in _all(self._sums()):
            found.count += number
            found.at_risk += risk
            found.closing += close
            found.won += won
            for sums, value in (
                (found.amounts, total),
                (found.weighted, sure),
                (found.closing_amounts, close_total),
                (found.won_amounts, won_total),
            ):
                sums[currency] = sums.get(currency, 0) + int(value or 0)
        # Beside the sums: in their statement, each deal would look its rate up.
        rates = exchange_rates(self.today) if found.amounts else {}
        found.rates = {currency: rate for currency, rate in rates.items() if currency in found.amounts}
        return found

    @cached_property
    def _risky(self) -> Q:
        return at_risk_q(self.today, self.now, self.seen)

    def _sums(self) -> list[Any]:
        """Sums by currency, the same columns of open deals and of won ones: what one has not is 0."""
        month_ends = (self.today.replace(day=28) + timedelta(days=4)).replace(day=1)
        closing, risky = Q(close_date__lt=month_ends), self._risky
        of_open = {
            "number": Count("id"),
            "risky": Count("id", filter=risky),
            "total": Sum("amount"),
            "sure": Sum("weighted"),
            "closing": Count("id", filter=closing),
            "closing_total": Sum("amount", filter=closing),
        }
        of_won = {"won": Count("id"), "won_total": Sum("amount")}
        columns = [*of_open, *of_won]

        def sums(rows: QuerySet[Deal], summed: dict[str, Any]) -> QuerySet[Any]:
            values = {column: summed.get(column, Value(0)) for column in columns}
            return rows.order_by().values("currency").annotate(**values).values_list("currency", *values)

        return [sums(rows, of_open) for rows in self._parts] + [sums(rows, of_won) for rows in self._won]

    def closing_next(self) -> list[DealLine]:
        """Deals by expected close date: one's own from the most overdue on, everybody's from today on."""
        return self._lines(Q() if self.mine else Q(close_date__gte=self.today))

    def at_risk(self) -> list[DealLine]:
        """Deals at risk, those first whose close date is the longest ago."""
        return self._lines(self._risky)

    def _lines(self, condition: Q) -> list[DealLine]:
        first = [F("close_date").asc(nulls_last=True)] if "close_date" in self.seen else []
        order = (*first, F("id").asc())
        parts = [rows.filter(condition).order_by(*order).values(*COLUMNS)[:SHOWN] for rows in self._parts]
        rows = parts[0].union(*parts[1:], all=True).order_by(*order)[:SHOWN] if len(parts) > 1 else parts[0]
        hidden = {"amount": None, "close_date": None, "next_step": HIDDEN}.items()
        veiled = {column: value for column, value in hidden if column not in self.seen}
        return [_line({**row, **veiled}, self.today, self.now) for row in rows]


def _all(parts: list[Any]) -> Iterable[Any]:
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _line(row: dict[str, Any], today: date, now: datetime) -> DealLine:
    return DealLine(
        id=row["id"], name=row["name"], account_id=row["account_id"], account=row["account__name"] or "",
        amount=row["amount"], currency=row["currency"], close_date=row["close_date"], stage=row["stage__name"],
        tone=row["stage__tone"], reason=_reason(row, today, now), idle_days=(now - row["touched_at"]).days,
    )  # fmt: skip


def _reason(row: dict[str, Any], today: date, now: datetime) -> str:
    if row["close_date"] is not None and row["close_date"] < today:
        return "overdue"
    if rules.rot_of(row["touched_at"], row["stage__rot_days"], now) == Rot.ROTTING:
        return "rotting"
    return "" if row["next_step"] else "no_step"
