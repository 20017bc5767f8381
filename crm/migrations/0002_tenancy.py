"""Row-level security, tenant keys, audit and the doors of the kernel's tables."""

from django.conf import settings
from django.db import migrations

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy, RunSqlFile

# A user's own memberships, and the organisations they belong to, are read before an organisation is entered; inside
# one, they would stand among its members.
OWN_MEMBERSHIP = "app_org() IS NULL AND user_id = app_user()"

# As EnableTenancy does it: where no role may have BYPASSRLS, the owner's functions must see the rows.
FORCE = "FORCE" if settings.RLS_MODE == "forced" else "NO FORCE"
FORCED = [f"ALTER TABLE {table} {FORCE} ROW LEVEL SECURITY" for table in ("crm_organization", "crm_auditentry")]

ORGANIZATION = """
ALTER TABLE crm_organization ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON crm_organization USING (id = app_org()) WITH CHECK (id = app_org());
CREATE POLICY door ON crm_organization FOR SELECT
    USING (app_org() IS NULL AND id IN (SELECT m.org_id FROM crm_membership m WHERE m.user_id = app_user() AND m.active));
CREATE POLICY may_update ON crm_organization AS RESTRICTIVE FOR UPDATE USING (app_write() = 'all') WITH CHECK (app_write() = 'all');
CREATE POLICY may_delete ON crm_organization AS RESTRICTIVE FOR DELETE USING (app_write() = 'all');
"""

# The log is written by its triggers alone: the application reads, and even that only its own organisation.
AUDIT_LOG = """
ALTER TABLE crm_auditentry ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON crm_auditentry FOR SELECT USING (org_id = app_org());
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON crm_auditentry FROM keel_app;
GRANT SELECT ON crm_auditentry TO keel_app;
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [
        migrations.RunSQL(ORGANIZATION, migrations.RunSQL.noop),
        migrations.RunSQL(AUDIT_LOG, migrations.RunSQL.noop),
        migrations.RunSQL(FORCED, migrations.RunSQL.noop),
        EnableTenancy("crm_membership", tenant=OWN_MEMBERSHIP, admin_only=True),
        EnableTenancy("crm_team", admin_only=True),
        EnableTenancy("crm_teammember", admin_only=True),
        EnableTenancy("crm_token", admin_only=True),
        EnableTenancy("crm_invitation", admin_only=True),
        EnableTenancy("crm_changeset"),
        EnableTenancy("crm_outboxevent"),
        EnableTenancy("crm_tag"),
        EnableTenancy("crm_externalid"),
        EnableTenancy("crm_exchangerate", admin_only=True),
        EnableTenancy("crm_notification", personal="member_id"),
        AddTenantForeignKey("crm_team", "parent_id", "crm_team", "SET NULL"),
        AddTenantForeignKey("crm_teammember", "team_id", "crm_team", "CASCADE"),
        AddTenantForeignKey("crm_teammember", "member_id", "crm_membership", "CASCADE"),
        AddTenantForeignKey("crm_token", "member_id", "crm_membership", "CASCADE"),
        AddTenantForeignKey("crm_invitation", "invited_by_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("crm_invitation", "token_id", "crm_token", "CASCADE"),
        AddTenantForeignKey("crm_changeset", "made_by_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("crm_changeset", "undoes_id", "crm_changeset", "SET NULL"),
        AddTenantForeignKey("crm_notification", "member_id", "crm_membership", "CASCADE"),
        RunSqlFile(
            "crm/tenancy/sql/doors.sql", "DROP FUNCTION keel_resolve_token(bytea); DROP FUNCTION keel_due_orgs(text)"
        ),
        DefinerFunctions(
            ["keel_resolve_token(bytea)", "keel_due_orgs(text)"],
            ["SELECT ON crm_token", "SELECT ON crm_outboxevent", "SELECT ON crm_organization"],
        ),
        DefinerFunctions(
            ["keel_audit_insert()", "keel_audit_update()", "keel_audit_delete()"],
            ["INSERT ON crm_auditentry", "USAGE ON SEQUENCE crm_auditentry_id_seq"],
            trigger=True,
        ),
        Audit("crm_membership"),
        Audit("crm_team"),
        Audit("crm_teammember"),
        Audit("crm_invitation"),
        Audit("crm_tag", derived=("name_norm",)),
        Audit("crm_exchangerate"),
    ]
