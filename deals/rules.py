"""What a deal's numbers and dates mean: closing, forecast, rotting, next steps; and who may manage a deal.

Pure: nothing here reads the database or the clock.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from crm import rules
from crm.tenancy.context import Actor
from deals.enums import DealStatus, ForecastCategory, StageKind
from deals.models import Deal, Stage

# What taking a stage change back restores, beside the stage itself.
RESTORED = (
    "position", "probability", "probability_by_hand", "status", "forecast_category", "forecast_by_hand",
    "closed_on", "close_reason", "close_note", "stage_entered_at", "touched_at",
)  # fmt: skip


class Rot(StrEnum):
    """How long nothing has happened, as the card's edge shows it."""

    NONE = ""
    COOLING = "warn"  # two thirds of the stage's days have gone by
    ROTTING = "late"


class StepState(StrEnum):
    """What the card's dot says about the next step."""

    NONE = "none"
    OVERDUE = "overdue"
    TODAY = "today"
    FUTURE = "future"  # later than today, or without a date


def forecast_category(probability: int, status: str) -> ForecastCategory:
    """How a deal counts in a forecast when nobody chose by hand; `probability` in percent."""
    if status == DealStatus.WON:
        return ForecastCategory.CLOSED
    if status != DealStatus.OPEN:
        return ForecastCategory.OMITTED
    if probability <= 40:
        return ForecastCategory.PIPELINE
    return ForecastCategory.BEST_CASE if probability <= 70 else ForecastCategory.COMMIT


def rot_of(touched_at: datetime, rot_days: int, now: datetime) -> Rot:
    """Whether a deal cools or rots. A planned step in the future does not stop it; `rot_days` 0 means never."""
    if not rot_days:
        return Rot.NONE
    idle = now - touched_at
    if idle >= timedelta(days=rot_days):
        return Rot.ROTTING
    return Rot.COOLING if idle * 3 >= timedelta(days=rot_days * 2) else Rot.NONE


def step_state(next_step: str, next_step_at: datetime | None, now: datetime, today: date) -> StepState:
    """The state of a next step; `today` is the reader's day, and `now` carries the reader's time zone."""
    if next_step_at is None:
        return StepState.FUTURE if next_step else StepState.NONE
    if next_step_at < now:
        return StepState.OVERDUE
    return StepState.TODAY if next_step_at.astimezone(now.tzinfo).date() == today else StepState.FUTURE


def may_manage(deal: Deal, actor: Actor) -> bool:
    """Whether the actor may hand over, share or delete a deal: its owner, the owner's managers, admins.

    Somebody it is only shared with may edit it, but not give it away.
    """
    return rules.may_share(actor, deal.owner_id)


def is_forward(deal: Deal, came_from: Stage, stage: Stage) -> bool:
    """Whether a step brings the deal forward, which stops its rotting."""
    if stage.kind == StageKind.LOST:
        return False
    if stage.kind == StageKind.WON or deal.status != DealStatus.OPEN:
        return True
    return stage.pipeline_id != came_from.pipeline_id or stage.position > came_from.position


def enter_stage(deal: Deal, stage: Stage, *, now: datetime, today: date, reason: str = "", note: str = "") -> None:
    """Puts a deal into a stage, in memory: status, probability, forecast category, closing and the clocks of the stage.

    Won to won (and lost to lost) keeps the closing date; entering an open stage reopens. `now` is the moment, `today`
    the organisation's day, which becomes the closing date.
    """
    former = deal.status
    deal.stage, deal.pipeline_id = stage, stage.pipeline_id
    deal.stage_entered_at = now
    if stage.kind == StageKind.OPEN:
        deal.status = DealStatus.OPEN
        if former != DealStatus.OPEN:
            deal.closed_on, deal.close_reason, deal.close_note = None, "", ""
        if not deal.probability_by_hand:
            deal.probability = stage.probability
    else:
        deal.status = DealStatus.WON if stage.kind == StageKind.WON else DealStatus.LOST
        deal.probability, deal.probability_by_hand = (100 if stage.kind == StageKind.WON else 0), False
        deal.forecast_by_hand = False
        if former != deal.status:
            deal.closed_on, deal.close_reason, deal.close_note = today, reason, note
        elif reason or note:
            deal.close_reason, deal.close_note = reason or deal.close_reason, note or deal.close_note
    if not deal.forecast_by_hand:
        deal.forecast_category = forecast_category(deal.probability, deal.status)
