from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy, Owned


class Migration(migrations.Migration):
    dependencies = [("vessels", "0001_initial"), ("crm", "0002_tenancy")]

    operations = [
        EnableTenancy("vessels_vessel", Owned()),
        AddTenantForeignKey("vessels_vessel", "owner_id", "crm_membership"),
        Audit("vessels_vessel", secret=("secret_code",), derived=("name_norm",)),
    ]
