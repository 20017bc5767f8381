"""Reads of deals that join, and all hand-written SQL of deals. Each hand-written one has an equivalence test."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count

from crm import access
from crm.tenancy.context import elevated
from deals.enums import StageKind
from deals.models import Deal, Pipeline, Stage
from deals.queries.board import (
    CardRow,
    Setting,
    StageSums,
    board_cards,
    board_sums,
    cards_by_id,
    setting,
    where_of,
)
from deals.queries.sight import EVERYTHING, Sight, Where
from deals.queries.steps import first_positions, gap, locked_step, write_step

__all__ = [
    "EVERYTHING",
    "CardRow",
    "Setting",
    "Sight",
    "StageSums",
    "Where",
    "board_cards",
    "board_sums",
    "cards_by_id",
    "first_positions",
    "gap",
    "locked_step",
    "open_stages",
    "pipelines",
    "setting",
    "stage",
    "stages_with_counts",
    "where_of",
    "write_step",
]


def pipelines() -> list[Pipeline]:
    """The pipelines in their order."""
    return list(Pipeline.objects.order_by("position", "pk"))


def open_stages(pipeline_id: UUID) -> list[Stage]:
    """The stages of a pipeline that deals go through, in order."""
    return list(Stage.objects.filter(pipeline_id=pipeline_id, kind=StageKind.OPEN).order_by("position", "pk"))


def stage(pk: UUID) -> Stage:
    """A stage of the organisation. Raises NotFound."""
    found = Stage.objects.filter(pk=pk).first()
    if found is None:
        raise access.absent(Stage)
    return found


def stages_with_counts(pipeline_id: UUID) -> list[Any]:
    """The stages of a pipeline in order, each with `deal_count`: everybody's deals, the recycle bin's too.

    For those who set up pipelines; they may not see all of these deals, but must know whether a stage is empty.
    """
    with elevated("how many deals a stage holds"):
        counts = dict(
            Deal.everything.filter(pipeline_id=pipeline_id)
            .values_list("stage_id")
            .annotate(count=Count("id"))
            .order_by()
        )
    found = list(Stage.objects.filter(pipeline_id=pipeline_id).order_by("position", "pk"))
    for row in found:
        row.deal_count = counts.get(row.pk, 0)
    return found
