"""What the board shows, worked out for templates: cards and columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.lib import money
from crm.lib.money import Rate, Total
from crm.web import formats
from deals import rules
from deals.models import Deal
from deals.queries import CardRow, StageSums
from deals.rules import StepState

STEP_ICONS = {StepState.OVERDUE: "clock", StepState.TODAY: "clock", StepState.FUTURE: "square-check"}


@dataclass(slots=True)
class Card:
    """A card as templates/components/deals.html draws it. `amount_minor` is in the base currency, for sums."""

    id: UUID
    href: str
    position: str
    name: str
    account: str
    account_tone: str
    amount_minor: int
    amount: str
    amount_exact: str
    close: str
    late: bool
    next_step: str
    next_icon: str
    step: str
    owner: str
    owner_tone: str
    owner_initials: str
    days: int
    rot: str
    writable: bool


@dataclass(slots=True)
class Column:
    """A column of the board: its stage, its sums in words, and the cards that are loaded."""

    stage: StageSums
    total: Total
    weighted: Total
    cards: list[Card]
    more: bool = False

    @property
    def id(self) -> UUID:
        """The stage's id."""
        return self.stage.id

    @property
    def note(self) -> str:
        """How the sum came about: rates with their dates, and what could not be converted."""
        return total_note(self.total)

    @property
    def apart(self) -> str:
        """The sums that could not be converted, such as "+ CHF 1,200"."""
        return apart_text(self.total)


def total_note(total: Total) -> str:
    """Which rates a total was converted with, and what is not in it; empty when there is nothing to say."""
    parts = [
        _("1 %(foreign)s = %(rate)s %(base)s since %(day)s")
        % {
            "foreign": code,
            "rate": formats.number(rate.value.normalize()),
            "base": total.currency,
            "day": formats.date_full(rate.since),
        }
        for code, rate in total.converted.items()
    ]
    if total.apart:
        parts.append(
            _("Not included, for want of an exchange rate: %(amounts)s")
            % {"amounts": ", ".join(formats.money(minor, code) for code, minor in total.apart.items())}
        )
    return ". ".join(parts)


def apart_text(total: Total) -> str:
    """The sums that could not be converted, each with its sign."""
    return " ".join(f"+ {formats.money_whole(minor, code)}" for code, minor in total.apart.items())


def row_of(deal: Deal) -> CardRow:
    """The row of a deal that is in memory with its owner and account joined, and that the reader may change."""
    return CardRow(
        deal.pk,
        deal.stage_id,
        deal.position,
        deal.name,
        deal.account_id,
        deal.account.name if deal.account else None,
        deal.amount,
        deal.currency,
        deal.close_date,
        deal.next_step,
        deal.next_step_at,
        deal.owner_id,
        deal.owner.name,
        deal.stage_entered_at,
        deal.touched_at,
        True,
    )


class CardMaker:
    """Turns rows into cards, at one moment and in the reader's time zone and language."""

    def __init__(self, stages: Mapping[UUID, StageSums], base: str, now: datetime | None = None) -> None:
        self.now = timezone.localtime(now)
        self.today = self.now.date()
        self.stages, self.base = stages, base
        self.rates: dict[str, Rate] = {}
        for stage in stages.values():
            self.rates.update(stage.rates)
        self._days: dict[int, str] = {}

    def card(self, row: CardRow) -> Card:
        """The card of a row."""
        step, text = self._step(row)
        late = row.close_date is not None and row.close_date < self.today
        return Card(
            id=row.id,
            href=f"{row.id}/",
            position=row.position,
            name=row.name,
            account=row.account or "",
            account_tone=formats.tone_for(row.account_id) if row.account else "",
            amount_minor=self._in_base(row.amount, row.currency),
            amount=formats.money_whole(row.amount, row.currency) or "–",
            amount_exact=formats.money(row.amount, row.currency) or "–",
            close=formats.date(row.close_date),
            late=late,
            next_step=text,
            next_icon=STEP_ICONS.get(step, ""),
            step=step,
            owner=row.owner,
            owner_tone=formats.tone_for(row.owner_id),
            owner_initials=formats.initials(row.owner),
            days=max(0, (self.now - row.stage_entered_at).days),
            rot=rules.rot_of(row.touched_at, self.stages[row.stage_id].rot_days, self.now),
            writable=row.writable,
        )

    def _in_base(self, amount: int | None, currency: str) -> int:
        if not amount or currency == self.base:
            return amount or 0
        rate = self.rates.get(currency)
        return money.convert(amount, currency, self.base, rate.value) if rate else 0

    def _step(self, row: CardRow) -> tuple[StepState, str]:
        step = rules.step_state(row.next_step, row.next_step_at, self.now, self.today)
        if step == StepState.NONE or row.next_step_at is None:
            return step, row.next_step
        text = row.next_step or _("Next step")
        return step, f"{text}, {self._when(step, timezone.localtime(row.next_step_at))}"

    def _when(self, step: StepState, at: datetime) -> str:
        if step == StepState.TODAY:
            return formats.clock(at)
        if step == StepState.OVERDUE:
            return _overdue((self.today - at.date()).days)
        return _day(at.date())


def _overdue(days: int) -> str:
    if not days:
        return _("overdue")
    return ngettext("%(days)d d overdue", "%(days)d d overdue", days) % {"days": days}


def _day(day: date) -> str:
    return formats.date(day)


def column_of(stage: StageSums, base: str, cards: list[Card]) -> Column:
    """A column with its totals in the base currency; there are more cards than these where it counts more."""
    return Column(
        stage,
        money.total(stage.amounts, base, stage.rates),
        money.total(stage.weighted, base, stage.rates),
        cards,
        more=stage.count > len(cards),
    )
