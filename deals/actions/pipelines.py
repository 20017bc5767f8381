"""Pipelines: the ways that deals go."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import access, rules
from crm.actions.base import action
from crm.events import emit
from crm.lib.errors import Conflict, Forbidden, Invalid
from crm.tenancy.context import Actor, elevated
from deals.enums import StageKind
from deals.events import PipelineChanged
from deals.models import Deal, Pipeline, Stage

# Name, kind, win probability in percent, days until a deal rots, colour.
DEFAULT_STAGES = (
    (gettext_lazy("Lead"), StageKind.OPEN, 10, 14, "gray"),
    (gettext_lazy("Qualified"), StageKind.OPEN, 25, 21, "blue"),
    (gettext_lazy("Discovery"), StageKind.OPEN, 40, 30, "cyan"),
    (gettext_lazy("Proposal"), StageKind.OPEN, 60, 21, "violet"),
    (gettext_lazy("Negotiation"), StageKind.OPEN, 75, 18, "amber"),
    (gettext_lazy("Commit"), StageKind.OPEN, 90, 10, "green"),
    (gettext_lazy("Won"), StageKind.WON, 100, 0, "green"),
    (gettext_lazy("Lost"), StageKind.LOST, 0, 0, "red"),
)


def require_configure(acting: Actor) -> None:
    """Raises Forbidden for who may not set up pipelines."""
    if not rules.may_configure(acting):
        raise Forbidden(_("Only managers and admins can set up pipelines and stages."))


def locked_pipeline(pipeline_id: UUID | str) -> Pipeline:
    """A live pipeline, locked until the transaction ends. Raises NotFound."""
    rows = Pipeline.objects.select_for_update()
    found = rows.filter(pk=pipeline_id).first() if access.is_uuid(pipeline_id) else None
    if found is None:
        raise access.absent(Pipeline)
    return found


def checked_name(name: str) -> str:
    """The name without blanks at its ends. Raises Invalid for an empty or too long one."""
    name = name.strip()
    if not name or len(name) > 80:
        raise Invalid(fields={"name": _("Give it a name of at most 80 characters.")})
    return name


def _free_name(name: str, *, apart_from: UUID | None = None) -> str:
    name = checked_name(name)
    if Pipeline.objects.filter(name=name).exclude(pk=apart_from).exists():
        raise Invalid(fields={"name": _("There is a pipeline of this name already.")})
    return name


def _furnish(pipeline: Pipeline) -> None:
    Stage.objects.bulk_create(
        Stage(
            pipeline=pipeline,
            name=str(name),
            kind=kind,
            probability=probability,
            rot_days=rot_days,
            tone=tone,
            position=position,
        )
        for position, (name, kind, probability, rot_days, tone) in enumerate(DEFAULT_STAGES)
    )
    emit(PipelineChanged(record=pipeline.pk))


@action
def create_default_pipeline(*, acting: Actor) -> Pipeline:
    """Gives an organisation its default pipeline, unless it has one; answers that one then."""
    there = Pipeline.objects.filter(is_default=True).first()
    if there is not None:
        return there
    pipeline = Pipeline(name=_("Sales pipeline"), is_default=True)
    pipeline.save(force_insert=True)
    _furnish(pipeline)
    return pipeline


@action
def create_pipeline(name: str, *, acting: Actor) -> Pipeline:
    """Adds a pipeline with the usual stages, to be changed at will. Raises Forbidden and Invalid."""
    require_configure(acting)
    last = Pipeline.objects.aggregate(last=Max("position"))["last"]
    pipeline = Pipeline(name=_free_name(name), position=0 if last is None else last + 1)
    pipeline.is_default = not Pipeline.objects.filter(is_default=True).exists()
    pipeline.save(force_insert=True)
    _furnish(pipeline)
    return pipeline


@action
def update_pipeline(pipeline_id: UUID | str, *, name: str, is_default: bool = False, acting: Actor) -> Pipeline:
    """Renames a pipeline; with `is_default` it becomes the one that new deals start in. Raises Forbidden, Invalid."""
    require_configure(acting)
    pipeline = locked_pipeline(pipeline_id)
    pipeline.name = _free_name(name, apart_from=pipeline.pk)
    if is_default and not pipeline.is_default:
        for other in Pipeline.objects.select_for_update().filter(is_default=True):
            other.is_default = False
            save_version(other, "is_default")
        pipeline.is_default = True
    save_version(pipeline, "name", "is_default")
    emit(PipelineChanged(record=pipeline.pk))
    return pipeline


@action
def delete_pipeline(pipeline_id: UUID | str, *, acting: Actor) -> None:
    """Deletes an empty pipeline that is not the default one. Raises Forbidden and Conflict."""
    require_configure(acting)
    pipeline = locked_pipeline(pipeline_id)
    if pipeline.is_default:
        raise Conflict(_("The default pipeline can't be deleted. Make another one the default first."))
    with elevated("whether anybody has deals in the pipeline"):
        if Deal.everything.filter(pipeline=pipeline).exists():
            raise Conflict(_("This pipeline holds deals, perhaps in the recycle bin. Move them to another one first."))
    bin_rows(pipeline, *Stage.objects.filter(pipeline=pipeline))
    emit(PipelineChanged(record=pipeline.pk))


def save_version(row: Pipeline | Stage, *columns: str) -> None:
    """Saves columns of a row as its next version."""
    row.version += 1
    row.save(update_fields=[*columns, "version", "updated_at"])


def bin_rows(*rows: Pipeline | Stage) -> None:
    """Puts pipelines or stages into the recycle bin."""
    for row in rows:
        row.deleted_at = timezone.now()
        save_version(row, "deleted_at")
