"""Changes of an organisation's settings stand in the audit log."""

from django.db import migrations

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_tenancy")]

    operations = [
        RunSqlFile(
            "crm/tenancy/sql/organization_audit.sql",
            "DROP TRIGGER audit_update ON crm_organization; DROP FUNCTION keel_audit_organization()",
        ),
        DefinerFunctions(["keel_audit_organization()"], [], trigger=True),
    ]
