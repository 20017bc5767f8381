"""Row-level security and tenant keys of bulk runs. They are not audited: what they write is."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, EnableTenancy, Owned, Through


class Migration(migrations.Migration):
    dependencies = [("crm", "0009_bulk_runs")]

    operations = [
        EnableTenancy("crm_bulkrun", Owned()),
        EnableTenancy("crm_bulkpart", Through((("run_id", "crm_bulkrun", Owned()),))),
        AddTenantForeignKey("crm_bulkrun", "owner_id", "crm_membership"),
        AddTenantForeignKey("crm_bulkrun", "change_set_id", "crm_changeset", "SET NULL"),
        AddTenantForeignKey("crm_bulkrun", "undoes_id", "crm_changeset", "SET NULL"),
        AddTenantForeignKey("crm_bulkpart", "run_id", "crm_bulkrun", "CASCADE"),
    ]
