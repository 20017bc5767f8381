"""Row-level security, tenant keys and audit of custom fields."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_custom_fields")]

    operations = [
        EnableTenancy("crm_customfield", admin_only=True),
        EnableTenancy("crm_fieldaccess", admin_only=True),
        EnableTenancy("crm_uniquevalue"),
        EnableTenancy("crm_sealedvalue"),
        AddTenantForeignKey("crm_uniquevalue", "field_id", "crm_customfield", "CASCADE"),
        AddTenantForeignKey("crm_sealedvalue", "field_id", "crm_customfield", "CASCADE"),
        Audit("crm_customfield", derived=("label_norm",)),
        Audit("crm_fieldaccess"),
    ]
