"""Bulk runs: one change of many records, or its undo, and how far it has come."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.enums import BulkKind, BulkStatus
from crm.models.audit import ChangeSet
from crm.models.membership import Membership
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import OrgModel, TenantModel


class BulkRun(OrgModel):
    """What a member does with many records. The counts add up to `done`, and at the end to `total`.

    `change_set` is what it writes under; of an undo, `undoes` is the one that it takes back.
    """

    record_type = models.CharField(max_length=40)  # "" where an undo is of several types
    owner = TenantForeignKey(Membership, models.PROTECT)
    kind = models.CharField(max_length=10, choices=BulkKind.choices)
    values = models.JSONField(default=dict)  # what the records get, by field key, as the form gave it
    label = models.CharField(max_length=200)
    came_from = models.TextField(blank=True, default="")  # the list it was begun from: the query string of its address
    status = models.CharField(max_length=10, choices=BulkStatus.choices, default=BulkStatus.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    is_cancelled = models.BooleanField(default=False)  # no further part is begun
    change_set = TenantForeignKey(ChangeSet, models.SET_NULL, null=True)
    undoes = TenantForeignKey(ChangeSet, models.SET_NULL, null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta(OrgModel.Meta):
        indexes = [
            models.Index("org", models.F("id").desc(), name="bulkrun_newest"),
            models.Index("org", "owner", models.F("id").desc(), name="bulkrun_own"),
            models.Index("org", "change_set", name="bulkrun_change_set"),
        ]

    @property
    def is_running(self) -> bool:
        """Whether there is something left to do."""
        return self.status in (BulkStatus.QUEUED, BulkStatus.RUNNING)


class BulkPart(TenantModel):
    """Up to 1,000 records of a run, in the order of their ids: what was chosen stays, whatever changes meanwhile.

    `refused` holds `[id, reason]` of those that were left as they are.
    """

    run = TenantForeignKey(BulkRun, models.CASCADE)
    number = models.PositiveIntegerField()
    record_type = models.CharField(max_length=40)
    ids = ArrayField(models.UUIDField())
    is_done = models.BooleanField(default=False)
    refused = models.JSONField(default=list)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "run", "number"], name="crm_bulkpart_number"),
        ]
