"""A deal's stage: moving it along, and taking a move back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access
from crm.actions.base import action
from crm.events import emit
from crm.lib.errors import Conflict, Invalid
from crm.tenancy.context import Actor, elevated
from deals import positions, queries, rules
from deals.actions import _steps
from deals.enums import DealStatus, StageKind
from deals.events import DealReordered
from deals.models import Deal, Stage, StageChange


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did. `deal` has its stage; `change` is None when only its place in the column changed.

    `former` is the key of the place that such a card had; "" when it did not leave it.
    """

    deal: Deal
    came_from: Stage
    change: StageChange | None
    former: str = ""


@action
def move_deal(
    deal_id: UUID | str,
    stage_id: UUID | str,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    reason: str = "",
    note: str = "",
    acting: Actor,
    version: int | None = None,
) -> Moved:
    """Moves a deal to a stage, above the card `before`, else below `after`, else to the top of the column.

    A won stage closes the deal, a lost one wants a `reason`, an open one reopens a closed deal. Raises NotFound,
    Conflict when `version` is not the deal's any more, and Invalid.
    """
    found = queries.locked_step(_id(deal_id, Deal), _id(stage_id, Stage))
    if found is None or not access.may_write(found[0], acting):
        raise access.absent(Deal)
    deal, stage = found
    _steps.check_version(deal, version)
    came_from = deal.stage
    if came_from.pk == stage.pk:
        return _reorder(deal, stage, before, after)
    change = _steps.step(deal, stage, now=timezone.now(), reason=reason, note=note, acting=acting)
    if stage.kind == StageKind.OPEN:
        deal.position = _steps.place(deal, stage, before, after)
    _steps.save(deal, change, acting=acting)
    return Moved(deal, came_from, change)


def _id(value: UUID | str, model: Any) -> UUID:
    if not access.is_uuid(value):
        raise access.absent(model)
    return UUID(str(value))


def _reorder(deal: Deal, stage: Stage, before: UUID | None, after: UUID | None) -> Moved:
    """Only the place in the column: no new version, since nobody's form is out of date by it."""
    if deal.status != DealStatus.OPEN:
        return Moved(deal, stage, None)
    return _put(deal, stage, _steps.place(deal, stage, before, after))


def _put(deal: Deal, stage: Stage, position: str) -> Moved:
    """Gives a card another place in its column, and tells the others."""
    former, deal.position = deal.position, position
    Deal.objects.filter(pk=deal.pk).update(position=position)
    emit(DealReordered(record=deal.pk, pipeline=deal.pipeline_id, stage=stage.pk, owner=deal.owner_id))
    return Moved(deal, stage, None, former if former != position else "")


@action
def undo_move(deal_id: UUID | str, *, version: int, acting: Actor) -> Moved:
    """Takes the deal's last step back, with everything it changed: the clocks, the closing, the place in the column.

    Raises NotFound, and Conflict unless `version` is the one that step made and the deal still has it.
    """
    last = _last_change(deal_id, acting)
    if last is None or last.from_stage_id is None:
        raise access.absent(Deal)
    found = queries.locked_step(last.deal_id, last.from_stage_id)
    if found is None or not access.may_write(found[0], acting):
        raise access.absent(Deal)
    deal, stage = found
    if last.undoes_id or not deal.version == version == last.deal_version:
        raise _too_late()
    came_from, now, before = deal.stage, timezone.now(), _steps.snapshot(deal)
    seconds = max(0, int((now - deal.stage_entered_at).total_seconds()))
    for column in rules.RESTORED:
        field: Any = Deal._meta.get_field(column)
        setattr(deal, column, field.to_python(last.before[column]))
    deal.stage, deal.pipeline_id = stage, stage.pipeline_id
    if deal.status == DealStatus.OPEN:
        deal.position = _former_place(deal, stage, deal.position)
    deal.version += 1
    change = _steps.change_of(deal, came_from, now=now, seconds=seconds, before=before, acting=acting)
    change.undoes = last
    _steps.save(deal, change, acting=acting)
    return Moved(deal, came_from, change)


@action
def undo_reorder(deal_id: UUID | str, *, version: int, position: str, former: str, acting: Actor) -> Moved:
    """Puts a card back to the key `former` in its column, or beside the card that has taken it since.

    Raises NotFound, Invalid for what is no key, and Conflict unless the deal still has `version` and `position`.
    """
    if not positions.is_key(former):
        raise Invalid
    deal = access.get_writable(Deal, deal_id, acting)
    stage = _steps.lock_stage(deal.stage_id)
    if deal.status != DealStatus.OPEN or (deal.version, deal.position) != (version, position):
        raise _too_late()
    return _put(deal, stage, _former_place(deal, stage, former))


def _too_late() -> Conflict:
    return Conflict(_("The move can't be undone: the deal has changed since. Move it back by hand."))


def _last_change(deal_id: UUID | str, acting: Actor) -> StageChange | None:
    deals = access.visible(Deal, acting).filter(pk=deal_id) if access.is_uuid(deal_id) else Deal.objects.none()
    return StageChange.objects.filter(deal__in=deals, from_stage__isnull=False).order_by("-at", "-id").first()


def _former_place(deal: Deal, stage: Stage, former: str) -> str:
    """The key the card had, or the next one below when another card has taken it."""
    with elevated("keys of the cards of a column"):
        taken = Deal.objects.filter(stage=stage, status=DealStatus.OPEN, position=former).exclude(pk=deal.pk)
        neighbour = taken.values_list("pk", flat=True).first()
    return former if neighbour is None else _steps.place(deal, stage, None, neighbour)
