"""The pipeline, the deals in it, and how they came where they are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from contacts.models import Account
from crm.config.demo.cast import CURRENCIES, Cast, Setting
from crm.config.demo.companies import Companies
from crm.config.demo.dice import Dice
from crm.config.demo.sentences import CLOSE_NOTES, LOST_REASONS, NEXT_STEPS, WON_REASONS
from crm.config.demo.words import PROJECTS, SITES, SOURCES
from deals import positions, rules
from deals.enums import DealStatus, StageKind
from deals.models import Deal, DealContact, Pipeline, Stage, StageChange

# Name, probability in percent, kind, days until a deal rots, tone.
STAGES = (
    ("Lead", 10, StageKind.OPEN, 14, "gray"),
    ("Qualified", 25, StageKind.OPEN, 21, "blue"),
    ("Discovery", 40, StageKind.OPEN, 30, "cyan"),
    ("Proposal", 60, StageKind.OPEN, 21, "violet"),
    ("Negotiation", 75, StageKind.OPEN, 14, "amber"),
    ("Commit", 90, StageKind.OPEN, 10, "green"),
    ("Won", 100, StageKind.WON, 0, "green"),
    ("Lost", 0, StageKind.LOST, 0, "red"),
)
ROTTING_PERCENT = 17
TOUCH = dt.timedelta(hours=20)


@dataclass
class Sales:
    """Pipeline, stages and deals with their history, unsaved."""

    pipeline: Pipeline
    stages: list[Stage] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    contacts: list[DealContact] = field(default_factory=list)
    changes: list[StageChange] = field(default_factory=list)
    # Until when something may have happened on a deal: it rots from there on, or was closed.
    quiet_since: dict[Deal, dt.datetime] = field(default_factory=dict)


def make_sales(setting: Setting, cast: Cast, companies: Companies, dice: Dice) -> Sales:
    """The pipeline and its deals: open ones by stage, won ones, lost ones."""
    since = cast.organization.created_at
    made = Sales(
        Pipeline(
            id=dice.id(since), org=cast.organization, name="Sales pipeline", is_default=True, created_at=since,
            updated_at=since,
        )
    )  # fmt: skip
    for position, (name, probability, kind, rot_days, tone) in enumerate(STAGES):
        stage = Stage(
            id=dice.id(since), org=cast.organization, pipeline=made.pipeline, name=name, position=position, kind=kind,
            probability=probability, rot_days=rot_days, tone=tone, created_at=since, updated_at=since,
        )  # fmt: skip
        made.stages.append(stage)
    used: set[str] = set()
    for stage, count in zip(made.stages, setting.open_deals, strict=False):
        for _number in range(count):
            _open_deal(made, stage, cast, companies, dice, used)
    for _number in range(setting.won):
        _closed_deal(made, made.stages[-2], cast, companies, dice, used)
    for _number in range(setting.lost):
        _closed_deal(made, made.stages[-1], cast, companies, dice, used)
    _order_cards(made, dice)
    return made


def _open_deal(made: Sales, stage: Stage, cast: Cast, companies: Companies, dice: Dice, used: set[str]) -> None:
    rotting = dice.chance(ROTTING_PERCENT)
    since_days = (
        dice.factor(stage.rot_days + 2, stage.rot_days * 2) if rotting else dice.factor(0.2, stage.rot_days * 0.9)
    )
    entered = dice.days_ago(since_days, since_days)
    steps = [*made.stages[: made.stages.index(stage)]]
    deal = _deal(made, stage, entered, steps, cast, companies, dice, used)
    if rotting:
        made.quiet_since[deal] = entered
    deal.status, deal.probability = DealStatus.OPEN, stage.probability
    if dice.chance(6):
        deal.probability, deal.probability_by_hand = min(95, stage.probability + 5), True
    deal.forecast_category = rules.forecast_category(deal.probability, deal.status)
    deal.close_date = (dice.now + dt.timedelta(days=dice.number(-6, 20 + 12 * (6 - stage.position)))).date()
    _plan_next_step(deal, dice)


def _closed_deal(made: Sales, stage: Stage, cast: Cast, companies: Companies, dice: Dice, used: set[str]) -> None:
    won = stage.kind == StageKind.WON
    closed = dice.days_ago(1, 380)
    open_stages = [s for s in made.stages if s.kind == StageKind.OPEN]
    steps = open_stages if won else open_stages[: dice.number(1, len(open_stages))]
    deal = _deal(made, stage, closed, steps, cast, companies, dice, used)
    made.quiet_since[deal] = closed
    deal.status, deal.probability = (DealStatus.WON, 100) if won else (DealStatus.LOST, 0)
    deal.forecast_category = rules.forecast_category(deal.probability, deal.status)
    deal.closed_on = closed.date()
    deal.close_date = closed.date() + dt.timedelta(days=dice.number(-10, 20))
    deal.close_reason = dice.pick(WON_REASONS if won else LOST_REASONS)
    deal.close_note = dice.pick(CLOSE_NOTES)


def _deal(
    made: Sales,
    stage: Stage,
    entered: dt.datetime,
    steps: list[Stage],
    cast: Cast,
    companies: Companies,
    dice: Dice,
    used: set[str],
) -> Deal:
    """A deal that went through `steps` and came to `stage` at `entered`."""
    moments = _moments(entered, len(steps), dice)
    account = dice.pick(companies.accounts)
    name, thousands = _name(account, dice, used)
    amount = max(2, round(thousands * dice.factor(0.5, 1.6) * 2)) * 500 * 100
    deal = Deal(
        id=dice.id(moments[0]),
        org=cast.organization,
        name=name,
        pipeline=made.pipeline,
        stage=stage,
        owner=account.owner if not dice.chance(8) else dice.weighted(cast.sellers()),
        account=account,
        amount=None if stage.position == 0 and dice.chance(15) else amount,
        currency=dice.weighted(CURRENCIES),
        stage_entered_at=entered,
        touched_at=entered,
        source=dice.pick(SOURCES),
        tags=[tag.id for tag in dice.some(cast.tags, 1)] if dice.chance(20) else [],
        created_at=moments[0],
        updated_at=entered,
        version=len(moments),
    )
    made.deals.append(deal)
    made.changes += _history(deal, [*steps, stage], moments, dice)
    made.contacts += _people(deal, companies, dice)
    return deal


def _moments(entered: dt.datetime, steps: int, dice: Dice) -> list[dt.datetime]:
    moments = [entered]
    for _step in range(steps):
        moments.insert(0, dice.at_work(moments[0] - dt.timedelta(days=dice.factor(2, 24))))
    return moments


def _name(account: Account, dice: Dice, used: set[str]) -> tuple[str, int]:
    for _attempt in range(200):
        project, thousands = dice.pick(PROJECTS)
        site = dice.pick((*SITES, account.city))
        name = f"{project}, {site}" if site else project
        if name not in used:
            used.add(name)
            return name, thousands
    raise AssertionError("The lists of projects are too short for so many deals.")


def _history(deal: Deal, stages: list[Stage], moments: list[dt.datetime], dice: Dice) -> list[StageChange]:
    changes = []
    for number, (stage, at) in enumerate(zip(stages, moments, strict=True)):
        before = moments[number - 1] if number else at
        changes.append(
            StageChange(
                id=dice.id(at),
                org=deal.org,
                deal=deal,
                from_stage=stages[number - 1] if number else None,
                to_stage=stage,
                at=at,
                by=deal.owner,
                seconds_in_stage=int((at - before).total_seconds()),
                amount=deal.amount,
                currency=deal.currency,
                probability=stage.probability,
                deal_version=number + 1,
                before=_before(stages[number - 1], before) if number else {},
                created_at=at,
            )
        )
    return changes


def _before(stage: Stage, entered: dt.datetime) -> dict[str, Any]:
    """What taking the step out of an open stage back would restore (rules.RESTORED)."""
    return {
        "position": "a0",
        "probability": stage.probability,
        "probability_by_hand": False,
        "status": DealStatus.OPEN.value,
        "forecast_category": rules.forecast_category(stage.probability, DealStatus.OPEN).value,
        "forecast_by_hand": False,
        "closed_on": None,
        "close_reason": "",
        "close_note": "",
        "stage_entered_at": entered.isoformat(),
        "touched_at": entered.isoformat(),
    }


def _people(deal: Deal, companies: Companies, dice: Dice) -> list[DealContact]:
    staff = companies.staff[deal.account]
    roles = {link.contact_id: link.role for link in companies.links if link.account_id == deal.account_id}
    return [
        DealContact(
            id=dice.id(deal.created_at),
            org=deal.org,
            deal=deal,
            contact=contact,
            role=roles[contact.id],
            is_primary=position == 0,
            created_at=deal.created_at,
        )
        for position, contact in enumerate(dice.some(staff, min(len(staff), dice.number(1, 3))))
    ]


def _plan_next_step(deal: Deal, dice: Dice) -> None:
    """A fifth of the open deals has none, a fifth is overdue, an eighth is due today."""
    when = dice.weighted({"none": 20, "overdue": 20, "today": 13, "future": 47})
    if when == "none":
        return
    deal.next_step = dice.pick(NEXT_STEPS)
    if when == "overdue":
        deal.next_step_at = dice.days_ago(1, 9)
    elif when == "today":
        # Late in the organisation's day, so that it is still ahead when somebody looks.
        deal.next_step_at = dice.now.replace(hour=16, minute=dice.pick((0, 15, 30, 45)), second=0, microsecond=0)
    else:
        ahead = dice.now + dt.timedelta(days=dice.number(1, 16))
        ahead += dt.timedelta(days=max(0, ahead.weekday() - 4) % 2 + (1 if ahead.weekday() == 5 else 0))
        deal.next_step_at = ahead.replace(hour=dice.number(8, 14), minute=dice.pick((0, 30)), second=0, microsecond=0)


def _order_cards(made: Sales, dice: Dice) -> None:
    for stage in made.stages:
        cards = dice.shuffled([deal for deal in made.deals if deal.stage is stage])
        for deal, position in zip(cards, positions.fresh(len(cards)), strict=True):
            deal.position = position
