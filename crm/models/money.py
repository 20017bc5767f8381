"""Exchange rates."""

from django.db import models

from crm.tenancy.models import TenantModel


class ExchangeRate(TenantModel):
    """What one unit of `currency` is worth in the organisation's base currency from a day on."""

    currency = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    valid_from = models.DateField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "currency", "valid_from"], name="crm_exchangerate_day"),
        ]
