"""The append-only log of changes, and the sets they were made in."""

from django.db import models
from django.db.models.functions import Now

from crm.enums import ChangeSetKind
from crm.models.membership import Membership
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import OrgManager, TenantModel


class ChangeSet(TenantModel):
    """Changes that belong together and can be undone together: a bulk edit, an import, a merge."""

    kind = models.CharField(max_length=20, choices=ChangeSetKind.choices)
    label = models.CharField(max_length=200)
    made_by = TenantForeignKey(Membership, models.SET_NULL, null=True)
    undoes = TenantForeignKey("crm.ChangeSet", models.SET_NULL, null=True)


class AuditEntry(models.Model):
    """One row's change. Written by definer triggers only; the application's role may read it and nothing else.

    `diff` is `{column: [old, new]}` for an update, the old row for a delete, and empty for an insert.
    """

    id = models.BigAutoField(primary_key=True)
    org = models.ForeignKey(
        "crm.Organization", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    table_name = models.CharField(max_length=63)
    row_id = models.UUIDField()
    operation = models.CharField(max_length=1)  # I, U or D
    actor_id = models.UUIDField(null=True)  # a membership; no constraint, the log outlives what it names
    actor_kind = models.CharField(max_length=10)
    request_id = models.CharField(max_length=64, default="")
    change_set_id = models.UUIDField(null=True)
    parent_id = models.UUIDField(null=True)  # of a child row, such as an e-mail address: the record it belongs to
    version = models.IntegerField(null=True)  # the row's version after an update
    at = models.DateTimeField(db_default=Now())
    diff = models.JSONField(null=True)

    objects = OrgManager()

    class Meta:
        indexes = [
            models.Index(fields=["org", "table_name", "row_id", "-id"], name="crm_audit_row"),
            models.Index(
                fields=["org", "parent_id", "-id"],
                name="crm_audit_parent",
                condition=models.Q(parent_id__isnull=False),
            ),
            models.Index(
                fields=["org", "change_set_id", "id"],
                name="crm_audit_change_set",
                condition=models.Q(change_set_id__isnull=False),
            ),
        ]
