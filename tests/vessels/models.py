"""Ships."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.models import Membership
from crm.tenancy.fields import NormalizedField, TenantForeignKey
from crm.tenancy.indexes import slot_indexes, words_index
from crm.tenancy.models import OrgModel, SortSlots


class Flag(models.TextChoices):
    """Where a ship is registered."""

    NORWAY = "no", "Norway"
    PANAMA = "pa", "Panama"


class Vessel(OrgModel, SortSlots):
    """A ship, with a field of every kind a list shows."""

    name = models.CharField(max_length=100)
    name_norm = NormalizedField("keel_norm", "name")
    owner = TenantForeignKey(Membership, models.PROTECT)
    flag = models.CharField(max_length=2, choices=Flag.choices, blank=True)
    crew = models.IntegerField(null=True)
    value = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="EUR")
    launched = models.DateField(null=True)
    seaworthy = models.BooleanField(default=True)
    secret_code = models.CharField(max_length=20, blank=True)
    tags = ArrayField(models.UUIDField(), default=list)
    call_sign = models.CharField(max_length=8, blank=True)  # no two ships at sea have the same

    class Meta(OrgModel.Meta):
        indexes = [
            words_index("vessel_words", "name_norm", condition=models.Q(deleted_at__isnull=True)),
            *slot_indexes("vessel"),
        ]
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "call_sign"],
                condition=models.Q(deleted_at__isnull=True) & ~models.Q(call_sign=""),
                name="vessels_vessel_call_sign",
            ),
        ]


class Sailor(OrgModel):
    """Somebody aboard a ship: seen by whom owns the row, whoever owns the ship."""

    name = models.CharField(max_length=100)
    owner = TenantForeignKey(Membership, models.PROTECT)
    vessel = TenantForeignKey(Vessel, models.SET_NULL, null=True)
    boarded_at = models.DateTimeField(null=True)
