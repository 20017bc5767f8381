"""What the board shows, worked out for templates: cards and columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from uuid import UUID

from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from crm.lib import money
from crm.lib.money import Rate, Total
from crm.records import schema
from crm.records.limits import seen_keys
from crm.web import formats
from deals import rules
from deals.models import Stage
from deals.queries import CardRow, Sight, StageSums
from deals.rules import Rot, StepState

STEP_ICONS = {StepState.OVERDUE: "clock", StepState.TODAY: "clock"}  # else board.css draws a box to tick


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
    age: str
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
    shows: frozenset[str] = frozenset({"amount", "weighted"})  # the sums that the reader's role sees

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
    language = get_language()
    parts = [_rate_text(code, rate, total.currency, language) for code, rate in total.converted.items()]
    if total.apart:
        parts.append(
            _("Not included, for want of an exchange rate: %(amounts)s")
            % {"amounts": ", ".join(formats.money(minor, code) for code, minor in total.apart.items())}
        )
    return ". ".join(parts)


@lru_cache(maxsize=1024)
def _rate_text(code: str, rate: Rate, base: str, _language: str | None) -> str:
    """A rate in the reader's language. Kept, since every head of every column tells the same few."""
    day, value = formats.date_full(rate.since), formats.number(rate.value.normalize())
    return _("1 %(foreign)s = %(rate)s %(base)s since %(day)s") % {
        "foreign": code,
        "rate": value,
        "base": base,
        "day": day,
    }


def apart_text(total: Total) -> str:
    """The sums that could not be converted, each with its sign."""
    return " ".join(f"+ {formats.money_whole(minor, code)}" for code, minor in total.apart.items())


def sums_of(stage: Stage) -> StageSums:
    """A stage in memory as one that can be summed up."""
    return StageSums(stage.pk, stage.name, stage.kind, stage.tone, stage.probability, stage.rot_days)


def age_of(entered_at: datetime, touched_at: datetime, rot_days: int, now: datetime) -> tuple[Rot, str]:
    """Whether a deal rots, and its days in the stage in words."""
    rot = rules.rot_of(touched_at, rot_days, now)
    return rot, _age(rot, (now - entered_at).days)


def _age(rot: Rot, days: int) -> str:
    texts = {Rot.ROTTING: _("%(days)d d · rotting"), Rot.COOLING: _("%(days)d d · cooling"), Rot.NONE: _("%(days)d d")}
    return texts[rot] % {"days": max(0, days)}


class CardMaker:
    """Turns rows into cards, at one moment and in the reader's time zone and language.

    What many cards share (days, ages, owners) is put into words once.
    """

    def __init__(self, stages: Iterable[StageSums], base: str, sight: Sight) -> None:
        self.now = timezone.localtime()
        self.today = self.now.date()
        self.stages = {stage.id: stage for stage in stages}
        self.base, self.sight = base, sight
        self.seen = seen_keys(schema.record_type("deal", sight.actor), sight.actor)
        empty = {"amount": None, "close_date": None, "next_step": "", "next_step_at": None}
        self._hidden = {column: value for column, value in empty.items() if column not in self.seen}
        self.rates: dict[str, Rate] = {}
        for stage in self.stages.values():
            self.rates.update(stage.rates)
        self._money = cache(formats.money_writer)
        self._day = cache(formats.date)
        self._owner = cache(_owner)
        self._age = cache(_age)
        self._no_step = _("No next step")
        self._no_amount = "–" if "amount" in self.seen else ""

    def card(self, row: CardRow) -> Card:
        """The card of a row, without what the reader's role doesn't see."""
        row = row._replace(**self._hidden) if self._hidden else row
        step, next_step = self._step(row)
        amount, exact = self._money(row.currency)(row.amount)
        tone, initials = self._owner(row.owner_id, row.owner)
        rot = rules.rot_of(row.touched_at, self.stages[row.stage_id].rot_days, self.now)
        return Card(
            id=row.id,
            href=f"{row.id}/",
            position=row.position,
            name=row.name,
            account=row.account or "",
            account_tone=formats.tone_for(row.account_id) if row.account else "",
            amount_minor=self._in_base(row.amount, row.currency),
            amount=amount or self._no_amount,
            amount_exact=exact or self._no_amount,
            close=self._day(row.close_date) if row.close_date else "",
            late=row.close_date is not None and row.close_date < self.today,
            next_step=next_step,
            next_icon=STEP_ICONS.get(step, ""),
            step=step,
            owner=row.owner,
            owner_tone=tone,
            owner_initials=initials,
            age=self._age(rot, (self.now - row.stage_entered_at).days),
            rot=rot,
            writable=self.sight.may_write(row.id, row.owner_id),
        )

    def _in_base(self, amount: int | None, currency: str) -> int:
        if not amount or currency == self.base:
            return amount or 0
        rate = self.rates.get(currency)
        return money.convert(amount, currency, self.base, rate.value) if rate else 0

    def _step(self, row: CardRow) -> tuple[StepState, str]:
        if "next_step" not in self.seen:
            return StepState.FUTURE, ""
        if row.next_step_at is None:
            return (StepState.FUTURE, row.next_step) if row.next_step else (StepState.NONE, self._no_step)
        step = rules.step_state(row.next_step, row.next_step_at, self.now, self.today)
        at = row.next_step_at.astimezone(self.now.tzinfo)
        if step == StepState.TODAY:
            when = formats.clock(at)
        elif step == StepState.OVERDUE:
            when = _overdue((self.today - at.date()).days)
        else:
            when = self._day(at.date())
        return step, f"{row.next_step or _('Next step')}, {when}"


def _owner(owner_id: UUID, name: str) -> tuple[str, str]:
    return formats.tone_for(owner_id), formats.initials(name)


def _overdue(days: int) -> str:
    if not days:
        return _("overdue")
    return ngettext("%(days)d d overdue", "%(days)d d overdue", days) % {"days": days}


def column_of(stage: StageSums, base: str, cards: list[Card], seen: Collection[str]) -> Column:
    """A column with its totals in the base currency, those of fields that are `seen`; there are more cards than these
    where it counts more."""
    stage.amounts = stage.amounts if "amount" in seen else {}
    stage.weighted = stage.weighted if "weighted" in seen else {}
    return Column(
        stage,
        money.total(stage.amounts, base, stage.rates),
        money.total(stage.weighted, base, stage.rates),
        cards,
        more=stage.count > len(cards),
        shows=frozenset(seen) & {"amount", "weighted"},
    )
