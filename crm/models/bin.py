"""The recycle bin, and what is left when something is deleted for good."""

from django.db import models

from crm.enums import PurgeReason
from crm.models.audit import ChangeSet
from crm.models.membership import Membership
from crm.tenancy.fields import NormalizedField, TenantForeignKey
from crm.tenancy.models import TenantModel

NEWEST = (models.F("created_at").desc(), models.F("id").desc())


class BinEntry(TenantModel):
    """A record in the recycle bin as it was when it was deleted. It ends with its restoring or purging.

    Whoever sees the record's row sees the entry (the policy asks the table that `table_name` says). `owner` repeats the
    record's, so that a member's part of the bin is one index scan.
    """

    record_type = models.CharField(max_length=40)
    record = models.UUIDField()
    table_name = models.CharField(max_length=63)
    name = models.CharField(max_length=200, blank=True)
    name_norm = NormalizedField("keel_norm", "name")
    owner = TenantForeignKey(Membership, models.SET_NULL, null=True)
    deleted_by = TenantForeignKey(Membership, models.SET_NULL, null=True)  # None: the system
    change_set = TenantForeignKey(ChangeSet, models.SET_NULL, null=True)
    along = models.JSONField(default=dict)  # how many rows of other tables went with it, by table
    emptied = models.JSONField(default=dict)  # ids of the rows that named it until then, by "table.column"

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "record"], name="crm_binentry_once"),
        ]
        indexes = [
            models.Index("org", *NEWEST, name="binentry_newest"),
            models.Index("org", "owner", *NEWEST, name="binentry_owner"),
            models.Index("org", "name_norm", name="binentry_name"),
            models.Index("created_at", name="binentry_due"),
        ]


class DeletionReceipt(TenantModel):
    """That a record was deleted for good: what kind, when, by whom and why. Nothing of what the record said."""

    record_type = models.CharField(max_length=40)
    record = models.UUIDField()
    reason = models.CharField(max_length=9, choices=PurgeReason.choices)
    binned_at = models.DateTimeField()  # when it came into the recycle bin
    purged_by = TenantForeignKey(Membership, models.SET_NULL, null=True)  # None: retention
    change_set = TenantForeignKey(ChangeSet, models.SET_NULL, null=True)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index("org", *NEWEST, name="deletionreceipt_newest"),
            models.Index("org", "change_set", name="deletionreceipt_change_set"),
        ]
