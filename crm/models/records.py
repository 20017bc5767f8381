"""Rows that any record type may have: tags, ids in other systems, notifications."""

from django.db import models

from crm.models.membership import Membership
from crm.tenancy.fields import NormalizedField, TenantForeignKey
from crm.tenancy.models import OrgModel, TenantModel


class Tag(OrgModel):
    """A label with a colour. Records hold tag ids, so a tag is renamed in one place."""

    name = models.CharField(max_length=60)
    tone = models.CharField(max_length=10, default="gray")
    name_norm = NormalizedField("keel_norm", "name")

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "name_norm"], condition=models.Q(deleted_at__isnull=True), name="crm_tag_org_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExternalId(TenantModel):
    """What a record is called in another system, such as a HubSpot record id."""

    record_type = models.CharField(max_length=40)
    record = models.UUIDField()
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=120, db_collation="C")  # Salesforce's are case-sensitive

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "source", "record_type", "external_id"], name="crm_externalid_once"),
        ]
        indexes = [models.Index(fields=["org", "record"], name="crm_externalid_record")]


class Notification(TenantModel):
    """Something a member should know of, about one record."""

    PERSONAL = True

    member = TenantForeignKey(Membership, models.CASCADE)
    kind = models.CharField(max_length=40)
    record_type = models.CharField(max_length=40, blank=True)
    record = models.UUIDField(null=True)
    data = models.JSONField(default=dict)  # what the sentence needs: names as they were then
    read_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["org", "member", "-id"], name="crm_notification_inbox"),
            models.Index(
                fields=["org", "member"], name="crm_notification_unread", condition=models.Q(read_at__isnull=True)
            ),
        ]
