"""What every step from stage to stage does, whoever asks for it: board, form, closing, undo, import."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm import access
from crm.events import emit
from crm.lib.errors import Conflict, Invalid, MoreNeeded
from crm.records import timeline
from crm.tenancy.context import Actor, elevated
from deals import positions, queries, rules
from deals.actions._values import today_of
from deals.enums import DealStatus, StageKind
from deals.events import DealStageChanged
from deals.models import Deal, Stage, StageChange

# What a step may change.
STEP_COLUMNS = ("stage", "pipeline", *rules.RESTORED)


def lock_stages(stage_ids: Collection[Any]) -> dict[UUID, Stage]:
    """The live stages of those ids, locked against other arrivals until the transaction ends.

    Deals are locked before stages, and stages in the order of their ids, so that no two actions wait for each other.
    """
    wanted = [i for i in stage_ids if access.is_uuid(i)]
    rows = Stage.objects.filter(pk__in=wanted).select_related("pipeline").order_by("pk")
    return {stage.pk: stage for stage in rows.select_for_update(of=("self",), no_key=True)}


def lock_stage(stage_id: UUID | str) -> Stage:
    """One stage, locked. Raises NotFound."""
    found = list(lock_stages([stage_id]).values())
    if not found:
        raise access.absent(Stage)
    return found[0]


def check_version(deal: Deal, version: int | None) -> None:
    """Raises Conflict when somebody else has changed the deal since `version`; None does not care."""
    if version is not None and deal.version != version:
        raise Conflict(_("Not saved. Somebody else changed this deal in the meantime. Reload to see their changes."))


def check_reason(stage: Stage, reason: str) -> None:
    """Raises MoreNeeded when a deal is lost without a word why."""
    if stage.kind == StageKind.LOST and not reason.strip():
        raise MoreNeeded(_("Say why the deal was lost."), fields={"reason": _("Choose or write a reason.")})
    if len(reason) > 120:
        raise Invalid(fields={"reason": _("Too long: %(limit)s characters at most.") % {"limit": 120}})


def place(deal: Deal, stage: Stage, before: UUID | None, after: UUID | None) -> str:
    """The key of the card's place in a column (see queries.gap). The column is renumbered when it has no room."""
    # Cards that the actor can't see stand in the same column, and their keys are taken as well.
    with elevated("keys of the cards of a column"):
        try:
            return positions.between(*queries.gap(stage.pk, deal.pk, before, after))
        except positions.NoRoomError:
            renumber(stage)
            deal.refresh_from_db(fields=["position"])  # in this column it has a fresh key as well
            return positions.between(*queries.gap(stage.pk, deal.pk, before, after))


def renumber(stage: Stage) -> None:
    """Gives the open cards of a column fresh keys in the same order. The caller is elevated and holds the stage."""
    cards = list(Deal.objects.filter(stage=stage, status=DealStatus.OPEN).order_by("position", "pk").only("pk"))
    for card, key in zip(cards, positions.fresh(len(cards)), strict=True):
        card.position = key
    Deal.objects.bulk_update(cards, ["position"], batch_size=1000)


def snapshot(deal: Deal) -> dict[str, Any]:
    """The columns that undo restores, as JSON values."""
    return as_json({column: getattr(deal, column) for column in rules.RESTORED})


def as_json(values: dict[str, Any]) -> dict[str, Any]:
    """Columns of a deal as JSON values."""
    return {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in values.items()}


def step(deal: Deal, stage: Stage, *, now: datetime, reason: str = "", note: str = "", acting: Actor) -> StageChange:
    """Takes a deal to another stage, in memory: the caller saves it and calls `record`. Raises Invalid."""
    check_reason(stage, reason or (deal.close_reason if deal.status == DealStatus.LOST else ""))
    came_from, before = deal.stage, snapshot(deal)
    before["status"] = deal.status
    seconds = max(0, int((now - deal.stage_entered_at).total_seconds()))
    if rules.is_forward(deal, came_from, stage):
        deal.touched_at = now
    rules.enter_stage(deal, stage, now=now, today=today_of(acting), reason=reason.strip(), note=note.strip())
    deal.version += 1
    return change_of(deal, came_from, now=now, seconds=seconds, before=before, acting=acting)


def change_of(
    deal: Deal, came_from: Stage | None, *, now: datetime, seconds: int, before: dict[str, Any], acting: Actor
) -> StageChange:
    """The row that says how a deal came to the stage it is in now; not saved yet."""
    return StageChange(
        deal=deal, from_stage=came_from, to_stage=deal.stage, at=now, by_id=acting.member_id, seconds_in_stage=seconds,
        amount=deal.amount, currency=deal.currency, probability=deal.probability, deal_version=deal.version,
        before=before,
    )  # fmt: skip


def save(deal: Deal, change: StageChange, *, acting: Actor) -> None:
    """Writes a step: the deal, its row of history, the timeline; and tells the others."""
    queries.write_step(deal, change, change.at)
    tell(change, acting=acting)


def tell(change: StageChange, *, acting: Actor) -> None:
    """Writes a step to the timeline, and tells the others."""
    timeline.write([entry_of(change)], acting=acting)
    deal, came_from, stage = change.deal, change.from_stage, change.to_stage
    assert came_from is not None
    assert stage is not None
    emit(
        DealStageChanged(
            record=deal.pk,
            pipeline=stage.pipeline_id,
            stage=stage.pk,
            previous_pipeline=came_from.pipeline_id,
            previous_stage=came_from.pk,
            status=deal.status,
            previous_status=change.before["status"],
            owner=deal.owner_id,
            previous_owner=deal.owner_id,
        )
    )


def entry_of(change: StageChange) -> timeline.Entry:
    """The timeline's entry of a step, with the names as they are now."""
    deal, came_from, stage = change.deal, change.from_stage, change.to_stage
    assert came_from is not None
    assert stage is not None
    data = {
        "from": came_from.name, "from_tone": came_from.tone, "to": stage.name, "to_tone": stage.tone,
        "to_kind": stage.kind, "seconds": change.seconds_in_stage, "amount": deal.amount, "currency": deal.currency,
    }  # fmt: skip
    if deal.close_reason and stage.kind != StageKind.OPEN:
        data["reason"] = deal.close_reason
    if change.undoes_id:
        data["undo"] = True
    return timeline.Entry(
        kind="stage_change", data=data, occurred_at=change.at, deal_id=deal.pk, account_id=deal.account_id
    )
