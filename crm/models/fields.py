"""What an organisation has made of its record types: fields of its own, and who sees and edits which field."""

from django.db import models

from crm.enums import FieldLevel, Role
from crm.tenancy.fields import NormalizedField, TenantForeignKey
from crm.tenancy.models import OrgModel, TenantModel


class CustomField(OrgModel):
    """A field that an admin has added to a record type. Its values stand in the records' `custom`, under `key`.

    A deleted one is hidden, with its values, until it is restored or its time is over: then all but its key goes.
    """

    record_type = models.CharField(max_length=40)
    key = models.CharField(max_length=40)  # fixed once made: views, imports and programs name it
    label = models.CharField(max_length=80)
    label_norm = NormalizedField("keel_norm", "label")
    kind = models.CharField(max_length=20)  # a FieldType
    help = models.CharField(max_length=200, blank=True)
    group = models.CharField(max_length=60, blank=True)  # the heading it stands under on a record's page
    position = models.PositiveIntegerField(default=0)
    required = models.BooleanField(default=False)
    unique = models.BooleanField(default=False)
    encrypted = models.BooleanField(default=False)
    default = models.JSONField(null=True, blank=True)  # as stored in `custom`
    options = models.JSONField(default=list, blank=True)  # of a picklist: [{"value", "label", "tone"}], in order
    target = models.CharField(max_length=40, blank=True)  # of a lookup: the record type it points at
    formula = models.TextField(blank=True)
    result = models.CharField(max_length=20, blank=True)  # of a formula: the FieldType of what comes out
    # Which column of the records repeats the values, so that lists can be sorted by them: "t1" for `sort_t1`.
    sort_slot = models.CharField(max_length=2, blank=True, editable=False)
    sort_ready = models.BooleanField(default=False, editable=False)  # whether it holds those of all records
    sort_filled_to = models.UUIDField(null=True, editable=False)  # the last record that the job was at
    # Of one whose values are gone for good: all that is left is the key, under which the log holds old values.
    purged_at = models.DateTimeField(null=True, editable=False)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "record_type", "key"], name="crm_customfield_key"),
            models.UniqueConstraint(
                fields=["org", "record_type", "label_norm"],
                condition=models.Q(deleted_at__isnull=True),
                name="crm_customfield_label",
            ),
            models.UniqueConstraint(
                fields=["org", "record_type", "sort_slot"],
                condition=~models.Q(sort_slot=""),
                name="crm_customfield_sort_slot",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class FieldAccess(TenantModel):
    """What members of a role may do with a field, built-in or custom, where that is less than usual."""

    record_type = models.CharField(max_length=40)
    field_key = models.CharField(max_length=40)
    role = models.CharField(max_length=10, choices=Role.choices)
    level = models.CharField(max_length=10, choices=FieldLevel.choices)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "record_type", "field_key", "role"], name="crm_fieldaccess_once"),
        ]


class UniqueValue(TenantModel):
    """The digest of a value of a unique field: the database refuses a second one, however many write at once."""

    field = TenantForeignKey(CustomField, models.CASCADE)
    record = models.UUIDField()
    digest = models.BinaryField(max_length=32)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "field", "digest"], name="crm_uniquevalue_once"),
            models.UniqueConstraint(fields=["org", "record", "field"], name="crm_uniquevalue_record"),
        ]


class SealedValue(TenantModel):
    """The encrypted value of an `encrypted` field of one record (crm.lib.crypto). In no audit entry, list or search."""

    field = TenantForeignKey(CustomField, models.CASCADE)
    record = models.UUIDField()
    sealed = models.TextField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "record", "field"], name="crm_sealedvalue_record"),
        ]
