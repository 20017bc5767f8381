"""An organisation with a pipeline, and its people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Membership
from crm.records import timeline
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Pipeline, Stage
from tests.factories import Org, make_org


@dataclass
class Sales:
    """Northwind's sales: a pipeline, a rep and her manager, a rep of another team, an admin, a reader."""

    org: Org
    pipeline: Pipeline
    stages: dict[str, Stage]
    admin: Membership
    manager: Membership
    rep: Membership
    stranger: Membership
    reader: Membership
    extra: dict[str, Any] = field(default_factory=dict)

    def deal(self, name: str = "Crane retrofit", *, by: Membership | None = None, **values: Any) -> Deal:
        """A deal of the rep, or of `by`."""
        owner = by or self.rep
        values.setdefault("stage", self.stages["Lead"])
        with self.org.acting(owner) as acting:
            return create_deal({"name": name, **values}, acting=acting)

    def fresh(self, deal: Deal) -> Deal:
        """The deal as it is now."""
        with self.org.system():
            return Deal.everything.select_related("stage", "owner").get(pk=deal.pk)

    def age(self, deal: Deal, days: float) -> None:
        """Makes it so long ago that the deal came to its stage and was touched."""
        with self.org.system():
            then = timezone.now() - timedelta(days=days)
            Deal.objects.filter(pk=deal.pk).update(stage_entered_at=then, touched_at=then)

    def column(self, stage: str) -> list[str]:
        """The names of a column's cards, from the top."""
        with self.org.system():
            rows = Deal.objects.filter(stage=self.stages[stage], status="open").order_by("position", "id")
            return list(rows.values_list("name", flat=True))


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> list[timeline.Entry]:
    """What was written to the timeline."""
    written: list[timeline.Entry] = []
    maker = timeline._maker

    def make(rows: Any, acting: Any) -> list[Any]:
        written.extend(rows)
        return maker(rows, acting) if maker is not None else []

    monkeypatch.setattr(timeline, "_maker", make)
    return written


def make_sales(**fields: Any) -> Sales:
    """Northwind's sales, in the open transaction or committed."""
    org = make_org(**fields)
    with org.system() as acting:
        pipeline = create_default_pipeline(acting=acting)
        stages = {s.name: s for s in Stage.objects.filter(pipeline=pipeline).order_by("position")}
    people = {role: org.member(role, name=f"{role.title()} Lind") for role in ("admin", "manager", "rep", "readonly")}
    stranger = org.member("rep", name="Stranger Mori")
    org.team("North", people["rep"], managers=(people["manager"],))
    org.team("South", stranger)
    return Sales(org, pipeline, stages, people["admin"], people["manager"], people["rep"], stranger, people["readonly"])


@pytest.fixture
def sales(db: None, entries: list[timeline.Entry]) -> Sales:
    """Northwind's sales, gone after the test."""
    return make_sales()
