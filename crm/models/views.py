"""Saved views of lists, and what a member has made of them: a default for a type of record, pins in the sidebar."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from crm.enums import ViewScope
from crm.models.membership import Membership, Team
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import OrgModel, TenantModel


class SavedView(OrgModel):
    """An arrangement of a list under a name. A private one is its owner's alone, in the database, too."""

    PERSONAL: ClassVar[bool] = True  # read-only members save private ones

    record_type = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=12, choices=ViewScope.choices)
    owner = TenantForeignKey(Membership, models.PROTECT)
    team = TenantForeignKey(Team, models.CASCADE, null=True, blank=True)  # of the scope "team"
    arrangement = models.TextField(blank=True)  # parameters of a list's address (crm.records.listquery.PARTS)

    class Meta(OrgModel.Meta):
        verbose_name = "view"
        indexes = [models.Index(fields=["org", "record_type", "name"], name="crm_savedview_type")]

    def __str__(self) -> str:
        return self.name


class ViewMark(TenantModel):
    """That a member has pinned a view or made it their default for its record type."""

    PERSONAL: ClassVar[bool] = True

    member = TenantForeignKey(Membership, models.CASCADE)
    view = TenantForeignKey(SavedView, models.CASCADE)
    record_type = models.CharField(max_length=40)  # the view's
    is_default = models.BooleanField(default=False)
    pin = models.PositiveIntegerField(null=True)  # its place among the member's pins; None: not pinned

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "member", "view"], name="crm_viewmark_once"),
            models.UniqueConstraint(
                fields=["org", "member", "record_type"],
                condition=models.Q(is_default=True),
                name="crm_viewmark_default",
            ),
        ]
