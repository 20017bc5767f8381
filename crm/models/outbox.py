"""Events on their way to receivers."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from crm.tenancy.models import OrgManager


class OutboxEvent(models.Model):
    """A domain event, written in the transaction that caused it and removed once every receiver has had it.

    The ones of one `record` are delivered in order of `id`. After ten failed attempts `dead_at` is set: a dead
    letter, which an admin replays or drops.
    """

    id = models.BigAutoField(primary_key=True)
    org = models.ForeignKey("crm.Organization", models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    name = models.CharField(max_length=80)
    record = models.UUIDField(null=True)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    available_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(default="", blank=True)
    # The receivers that are done while another one failed, so that a new attempt calls the others only.
    received_by = ArrayField(models.TextField(), default=list)
    dead_at = models.DateTimeField(null=True)

    objects = OrgManager()

    class Meta:
        indexes = [
            models.Index(
                fields=["org", "available_at", "id"], name="crm_outbox_due", condition=models.Q(dead_at__isnull=True)
            ),
            models.Index(fields=["org", "dead_at"], name="crm_outbox_dead", condition=models.Q(dead_at__isnull=False)),
        ]
