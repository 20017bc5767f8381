"""Row-level security and tenant keys of the recycle bin, the audit of receipts, and the erasure of what was purged."""

from django.db import migrations

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy, Recorded, RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_recycle_bin")]

    operations = [
        EnableTenancy("crm_binentry", Recorded()),
        EnableTenancy("crm_deletionreceipt", admin_only=True),
        AddTenantForeignKey("crm_binentry", "owner_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("crm_binentry", "deleted_by_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("crm_binentry", "change_set_id", "crm_changeset", "SET NULL"),
        AddTenantForeignKey("crm_deletionreceipt", "purged_by_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("crm_deletionreceipt", "change_set_id", "crm_changeset", "SET NULL"),
        Audit("crm_deletionreceipt"),
        RunSqlFile(
            "crm/tenancy/sql/erasure.sql",
            "DROP FUNCTION keel_erase_subjects(uuid); DROP FUNCTION keel_due_bins(timestamptz)",
        ),
        DefinerFunctions(
            ["keel_erase_subjects(uuid)", "keel_due_bins(timestamptz)"],
            ["SELECT ON crm_auditentry", "UPDATE (diff) ON crm_auditentry", "SELECT ON crm_deletionreceipt",
             "SELECT ON crm_binentry"],
        ),
    ]  # fmt: skip
