"""An organisation: the tenant."""

from django.db import models

from crm.enums import Visibility
from crm.tenancy.fields import DatabaseUUID7, new_id


class Organization(models.Model):
    """A company that uses Keel. Its members see it; nobody else does (policy by membership)."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=DatabaseUUID7(), editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    locale = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=60, default="UTC")
    base_currency = models.CharField(max_length=3, default="EUR")
    fiscal_year_start = models.PositiveSmallIntegerField(default=1)  # month, 1 to 12
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    readonly_may_export = models.BooleanField(default=False)
    # Grows with every change of fields and of who sees them: what processes keep of both is of one number.
    schema_version = models.PositiveIntegerField(default=1)
    plan = models.CharField(max_length=20, default="free")
    is_demo = models.BooleanField(default=False)
    # The organisation's data key, wrapped by a master key (crm.lib.crypto): `<master key id>:<base64>`.
    data_key = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class Address(models.Model):
    """A postal address, as columns of the record that has it."""

    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=80, blank=True)

    class Meta:
        abstract = True
