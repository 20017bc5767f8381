"""Row-level security, tenant keys and audit of saved views."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, Audit
from crm.tenancy.scopes import CreateLedTeams, EnablePersonal


class Migration(migrations.Migration):
    dependencies = [("crm", "0011_saved_views")]

    operations = [
        CreateLedTeams(),
        EnablePersonal("crm_savedview", "owner_id", scoped=True),
        EnablePersonal("crm_viewmark", "member_id"),
        AddTenantForeignKey("crm_savedview", "owner_id", "crm_membership"),
        AddTenantForeignKey("crm_savedview", "team_id", "crm_team", "CASCADE"),
        AddTenantForeignKey("crm_viewmark", "member_id", "crm_membership", "CASCADE"),
        AddTenantForeignKey("crm_viewmark", "view_id", "crm_savedview", "CASCADE"),
        Audit("crm_savedview"),
    ]
