"""Domain events of deals and pipelines. Ids are membership, stage and pipeline ids.

Set-based actions emit "deal.created", "deal.updated", "deal.stage_changed", "deal.deleted" and "deal.restored" as
batches: the payload then holds `records`, the pipeline (and `previous_pipeline` of a step), and the `stages` and
`owners` concerned (`previous_owners` where they changed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from crm.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DealCreated(Event):
    """A deal was added."""

    name: ClassVar[str] = "deal.created"
    pipeline: UUID
    stage: UUID
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DealUpdated(Event):
    """Fields of a deal changed, its owner perhaps."""

    name: ClassVar[str] = "deal.updated"
    pipeline: UUID
    stage: UUID
    owner: UUID
    previous_owner: UUID
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DealStageChanged(Event):
    """A deal went from one stage to another; won, lost and reopened are such steps too."""

    name: ClassVar[str] = "deal.stage_changed"
    pipeline: UUID
    stage: UUID
    previous_pipeline: UUID
    previous_stage: UUID
    status: str
    previous_status: str
    owner: UUID
    previous_owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DealReordered(Event):
    """A card has another place in its column; nothing else changed."""

    name: ClassVar[str] = "deal.reordered"
    pipeline: UUID
    stage: UUID
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DealDeleted(Event):
    """A deal went to the recycle bin."""

    name: ClassVar[str] = "deal.deleted"
    pipeline: UUID
    stage: UUID
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRestored(Event):
    """A deal came back from the recycle bin."""

    name: ClassVar[str] = "deal.restored"
    pipeline: UUID
    stage: UUID
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineChanged(Event):
    """A pipeline or its stages were set up differently; `record` is the pipeline."""

    name: ClassVar[str] = "pipeline.changed"
