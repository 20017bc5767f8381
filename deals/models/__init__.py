"""Pipelines and deals."""

from deals.models.deal import Deal, DealContact, DealShare, StageChange
from deals.models.pipeline import Pipeline, Stage

__all__ = ["Deal", "DealContact", "DealShare", "Pipeline", "Stage", "StageChange"]
