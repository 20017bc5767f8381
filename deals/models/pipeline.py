"""Pipelines and their stages."""

from django.db import models

from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import OrgModel
from deals.enums import StageKind

LIVE = models.Q(deleted_at__isnull=True)


class Pipeline(OrgModel):
    """A way that deals go."""

    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    is_default = models.BooleanField(default=False)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "name"], condition=LIVE, name="deals_pipeline_name"),
            models.UniqueConstraint(
                fields=["org"], condition=models.Q(is_default=True) & LIVE, name="deals_pipeline_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Stage(OrgModel):
    """A step of a pipeline."""

    pipeline = TenantForeignKey(Pipeline, models.CASCADE, related_name="stages")
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=4, choices=StageKind.choices, default=StageKind.OPEN)
    probability = models.PositiveSmallIntegerField(default=0)  # percent
    rot_days = models.PositiveSmallIntegerField(default=0)  # 0: deals here don't rot
    tone = models.CharField(max_length=10, default="gray")

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "pipeline", "name"], condition=LIVE, name="deals_stage_name"),
            models.CheckConstraint(condition=models.Q(probability__lte=100), name="deals_stage_probability"),
        ]
        indexes = [models.Index(fields=["org", "pipeline", "position"], name="stage_position", condition=LIVE)]

    def __str__(self) -> str:
        return self.name
