"""Closing a deal as won or lost, and reopening it."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from crm import access
from crm.actions.base import action
from crm.lib.errors import Conflict, Invalid
from crm.tenancy.context import Actor
from deals.actions.stages import Moved, move_deal
from deals.enums import DealStatus, StageKind
from deals.models import Deal, Stage, StageChange


@action
def close_deal(
    deal_id: UUID | str, outcome: str, *, reason: str = "", note: str = "", acting: Actor, version: int | None = None
) -> Moved:
    """Moves a deal to its pipeline's won or lost stage; `outcome` is "won" or "lost".

    Raises NotFound, Conflict, and Invalid (a lost deal wants a reason).
    """
    if outcome not in (StageKind.WON, StageKind.LOST):
        raise Invalid(fields={"outcome": _("Choose won or lost.")})
    deal = access.get_visible(Deal, deal_id, acting)
    stage = Stage.objects.filter(pipeline_id=deal.pipeline_id, kind=outcome).order_by("position", "pk").first()
    if stage is None:
        raise Conflict(_("This pipeline has no such end state. Add one in the settings of the pipeline."))
    return move_deal(deal_id, stage.pk, reason=reason, note=note, acting=acting, version=version)


@action
def reopen_deal(deal_id: UUID | str, *, acting: Actor, version: int | None = None) -> Moved:
    """Takes a closed deal back to the stage it was closed from, or the pipeline's first open one.

    Raises NotFound, and Conflict when the deal is not closed.
    """
    deal = access.get_visible(Deal, deal_id, acting)
    if deal.status == DealStatus.OPEN:
        raise Conflict(_("This deal is open already."))
    last = StageChange.objects.filter(deal=deal, to_stage=deal.stage_id).order_by("-at", "-id").first()
    stages = Stage.objects.filter(pipeline_id=deal.pipeline_id, kind=StageKind.OPEN).order_by("position", "pk")
    stage = stages.filter(pk=last.from_stage_id).first() if last and last.from_stage_id else None
    stage = stage or stages.first()
    if stage is None:
        raise Conflict(_("This pipeline has no open stage. Add one in the settings of the pipeline."))
    return move_deal(deal_id, stage.pk, acting=acting, version=version)
