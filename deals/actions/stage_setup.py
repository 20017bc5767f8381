"""The stages of a pipeline: adding, changing, ordering and deleting them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access
from crm.actions.base import action
from crm.events import emit, emit_batch
from crm.lib.errors import Conflict, Invalid
from crm.records import timeline
from crm.tenancy.context import Actor, elevated
from deals import positions, queries, rules
from deals.actions import _steps
from deals.actions.pipelines import bin_rows, checked_name, locked_pipeline, require_configure, save_version
from deals.enums import DealStatus, StageKind
from deals.events import DealUpdated, PipelineChanged
from deals.models import Deal, Pipeline, Stage, StageChange

TONES = ("gray", "blue", "cyan", "teal", "green", "amber", "orange", "red", "pink", "violet")
LONGEST_ROT = 999  # days
_FIXED = {StageKind.WON: 100, StageKind.LOST: 0}


@action
def create_stage(pipeline_id: UUID | str, values: Mapping[str, Any], *, acting: Actor) -> Stage:
    """Adds a stage after the ones of its kind. `values`: name, kind, probability, rot_days, tone.

    Raises Forbidden, NotFound and Invalid.
    """
    require_configure(acting)
    pipeline = locked_pipeline(pipeline_id)
    last = Stage.objects.filter(pipeline=pipeline).aggregate(last=Max("position"))["last"]
    stage = Stage(pipeline=pipeline, position=0 if last is None else last + 1)
    _put(stage, {"kind": StageKind.OPEN, "probability": 0, "rot_days": 0, "tone": "gray", **values})
    stage.save(force_insert=True)
    _sort(pipeline)
    emit(PipelineChanged(record=pipeline.pk))
    return stage


@action
def update_stage(
    stage_id: UUID | str, values: Mapping[str, Any], *, acting: Actor, version: int | None = None
) -> Stage:
    """Changes what `values` names (see create_stage). Open deals that follow the stage get its new probability.

    The kind of a stage that holds deals can't change. Raises Forbidden, NotFound, Invalid and Conflict.
    """
    require_configure(acting)
    if "probability" in values:
        with elevated("deals of everybody follow their stage's probability"):
            _lock_deals(stage_id)
    stage = _steps.lock_stage(stage_id)
    if version is not None and version != stage.version:
        raise Conflict
    former_kind, former_probability = stage.kind, stage.probability
    _put(stage, values)
    if stage.kind != former_kind:
        _check_kind_change(stage)
    save_version(stage, "name", "kind", "probability", "rot_days", "tone")
    if stage.kind != former_kind:
        _sort(stage.pipeline)
    if stage.kind == StageKind.OPEN and stage.probability != former_probability:
        _follow(stage)
    emit(PipelineChanged(record=stage.pipeline_id))
    return stage


def _put(stage: Stage, values: Mapping[str, Any]) -> None:
    """Sets what `values` names. Raises Invalid."""
    wrong = {}
    if "name" in values:
        stage.name = checked_name(values["name"])
        if Stage.objects.filter(pipeline=stage.pipeline_id, name=stage.name).exclude(pk=stage.pk).exists():
            wrong["name"] = _("This pipeline has a stage of that name already.")
    if "kind" in values:
        stage.kind = values["kind"]
        if stage.kind not in StageKind.values:
            wrong["kind"] = _("Choose open, won or lost.")
    stage.probability = values.get("probability", stage.probability)
    stage.rot_days = values.get("rot_days", stage.rot_days)
    stage.tone = values.get("tone", stage.tone)
    if not (isinstance(stage.probability, int) and 0 <= stage.probability <= 100):
        wrong["probability"] = _("Give a percentage from 0 to 100.")
    if not (isinstance(stage.rot_days, int) and 0 <= stage.rot_days <= LONGEST_ROT):
        wrong["rot_days"] = _("Give a number of days from 0 (never) to %(most)s.") % {"most": LONGEST_ROT}
    if stage.tone not in TONES:
        wrong["tone"] = _("Choose one of the colours.")
    if wrong:
        raise Invalid(fields=wrong)
    stage.probability = _FIXED.get(StageKind(stage.kind), stage.probability)
    stage.rot_days = 0 if stage.kind in _FIXED else stage.rot_days


def _check_kind_change(stage: Stage) -> None:
    with elevated("whether anybody has deals in the stage"):
        if Deal.everything.filter(stage=stage).exists():
            raise Conflict(_("This stage holds deals, perhaps in the recycle bin: its kind can't change."))
    _check_complete(stage.pipeline, apart_from=stage, plus=stage.kind)


def _check_complete(pipeline: Pipeline, *, apart_from: Stage, plus: str = "") -> None:
    """Raises Conflict when the pipeline would lose its last open, won or lost stage."""
    kinds = set(Stage.objects.filter(pipeline=pipeline).exclude(pk=apart_from.pk).values_list("kind", flat=True))
    if {*kinds, plus} - {""} < set(StageKind.values):
        raise Conflict(_("A pipeline needs at least one open, one won and one lost stage."))


def _sort(pipeline: Pipeline) -> None:
    """Open stages first, then the end states, each in their order."""
    order = list(StageKind.values)
    stages = sorted(Stage.objects.filter(pipeline=pipeline), key=lambda s: (order.index(s.kind), s.position, s.pk))
    _number(stages)


def _number(stages: Sequence[Stage]) -> None:
    for position, stage in enumerate(stages):
        if stage.position != position:
            stage.position = position
            save_version(stage, "position")


def _follow(stage: Stage) -> None:
    """Open deals whose probability nobody set by hand take the stage's."""
    with elevated("deals of everybody follow their stage's probability"):
        rows = Deal.objects.filter(stage=stage, status=DealStatus.OPEN, probability_by_hand=False)
        found = dict(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", "owner_id"))
        ids = list(found)
        changed = {"probability": stage.probability, "version": F("version") + 1, "updated_at": timezone.now()}
        Deal.objects.filter(pk__in=ids).update(**changed)
        category = rules.forecast_category(stage.probability, DealStatus.OPEN)
        Deal.objects.filter(pk__in=ids, forecast_by_hand=False).update(forecast_category=category)
    if ids:
        emit_batch(
            DealUpdated.name,
            ids,
            pipeline=stage.pipeline_id,
            stages=[stage.pk],
            owners=list(set(found.values())),
            fields=["probability"],
        )


@action
def reorder_stages(pipeline_id: UUID | str, stage_ids: Sequence[UUID | str], *, acting: Actor) -> None:
    """Puts the open stages of a pipeline into this order; its end states stay at the end.

    Raises Forbidden, NotFound, and Conflict unless exactly the present open stages are named.
    """
    require_configure(acting)
    pipeline = locked_pipeline(pipeline_id)
    stages = list(Stage.objects.filter(pipeline=pipeline).order_by("position", "pk"))
    opened = {str(s.pk): s for s in stages if s.kind == StageKind.OPEN}
    if set(opened) != {str(i) for i in stage_ids} or len(opened) != len(stage_ids):
        raise Conflict(_("Not saved. Somebody else added or deleted a stage. Reload the page."))
    _number([*(opened[str(i)] for i in stage_ids), *(s for s in stages if s.kind != StageKind.OPEN)])
    emit(PipelineChanged(record=pipeline.pk))


@action
def delete_stage(stage_id: UUID | str, *, move_to: UUID | str | None = None, acting: Actor) -> int:
    """Deletes a stage; its deals, everybody's, go to `move_to`, a stage of the same kind and pipeline.

    Says how many went. Raises Forbidden, NotFound, Conflict for a pipeline's last stage of a kind, and Invalid when
    the stage holds deals and `move_to` is not a stage they can go to.
    """
    require_configure(acting)
    with elevated("the deals of a stage that is deleted"):
        _lock_deals(stage_id)
        locked = _steps.lock_stages([stage_id, *([move_to] if move_to else [])])
        stage = next((s for s in locked.values() if str(s.pk) == str(stage_id)), None)
        if stage is None:
            raise access.absent(Stage)
        _check_complete(stage.pipeline, apart_from=stage)
        target = next((s for s in locked.values() if move_to and str(s.pk) == str(move_to)), None)
        # Again: one may have come between the two locks.
        deals = list(Deal.everything.filter(stage=stage).select_for_update(of=("self",)).order_by("position", "pk"))
        if deals:
            if target is None or target.pk == stage.pk or _family(target) != _family(stage):
                raise Invalid(fields={"move_to": _("Choose the stage that the deals of this one go to.")})
            _move_all(deals, stage, target, acting)
    bin_rows(stage)
    emit(PipelineChanged(record=stage.pipeline_id))
    return len(deals)


def _lock_deals(stage_id: UUID | str) -> None:
    """Locks the deals of a stage, before the stage itself is (see deals.queries.locked_step)."""
    if access.is_uuid(stage_id):
        rows = Deal.everything.filter(stage_id=stage_id).select_for_update(of=("self",)).order_by("pk")
        list(rows.values_list("pk", flat=True))


def _family(stage: Stage) -> tuple[UUID, str]:
    return stage.pipeline_id, stage.kind


def _move_all(deals: list[Deal], stage: Stage, target: Stage, acting: Actor) -> None:
    """The deals of a deleted stage go on top of another's, in their order, each with a row of history."""
    now, changes = timezone.now(), []
    top = queries.first_positions([target.pk]).get(target.pk)
    try:
        keys = positions.above(top, len(deals))
    except positions.NoRoomError:
        _steps.renumber(target)
        keys = positions.above(queries.first_positions([target.pk]).get(target.pk), len(deals))
    for deal, key in zip(deals, reversed(keys), strict=True):
        deal.stage = stage
        before = _steps.snapshot(deal)
        seconds = max(0, int((now - deal.stage_entered_at).total_seconds()))
        # Nobody moved the deal forward, so it rots on.
        rules.enter_stage(deal, target, now=now, today=now.date())
        deal.position, deal.version, deal.updated_at = key, deal.version + 1, now
        changes.append(_steps.change_of(deal, stage, now=now, seconds=seconds, before=before, acting=acting))
    columns = [*_steps.STEP_COLUMNS, "version", "updated_at"]
    Deal.everything.bulk_update(deals, columns, batch_size=200)
    StageChange.objects.bulk_create(changes, batch_size=1000)
    timeline.write([_steps.entry_of(change) for change in changes], acting=acting)
    emit_batch(
        DealUpdated.name,
        [deal.pk for deal in deals],
        pipeline=stage.pipeline_id,
        stages=[stage.pk, target.pk],
        owners=list({deal.owner_id for deal in deals}),
        fields=["stage_id"],
    )
