"""Row-level security, tenant keys and audit of pipelines and deals."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy, Owned, Through

DEAL = Owned("deals_dealshare", "content_object_id")
OF_DEAL = Through((("deal_id", "deals_deal", DEAL),))


class Migration(migrations.Migration):
    dependencies = [("deals", "0001_initial"), ("contacts", "0002_tenancy")]

    operations = [
        EnableTenancy("deals_dealshare"),
        EnableTenancy("deals_pipeline"),
        EnableTenancy("deals_stage"),
        EnableTenancy("deals_deal", DEAL),
        EnableTenancy("deals_dealcontact", OF_DEAL),
        EnableTenancy("deals_stagechange", OF_DEAL),
        AddTenantForeignKey("deals_stage", "pipeline_id", "deals_pipeline", "CASCADE"),
        AddTenantForeignKey("deals_deal", "pipeline_id", "deals_pipeline"),
        AddTenantForeignKey("deals_deal", "stage_id", "deals_stage"),
        AddTenantForeignKey("deals_deal", "owner_id", "crm_membership"),
        AddTenantForeignKey("deals_deal", "account_id", "contacts_account", "SET NULL"),
        AddTenantForeignKey("deals_dealcontact", "deal_id", "deals_deal", "CASCADE"),
        AddTenantForeignKey("deals_dealcontact", "contact_id", "contacts_contact", "CASCADE"),
        AddTenantForeignKey("deals_stagechange", "deal_id", "deals_deal", "CASCADE"),
        AddTenantForeignKey("deals_stagechange", "from_stage_id", "deals_stage", "SET NULL"),
        AddTenantForeignKey("deals_stagechange", "to_stage_id", "deals_stage", "SET NULL"),
        AddTenantForeignKey("deals_stagechange", "by_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("deals_stagechange", "undoes_id", "deals_stagechange", "SET NULL"),
        AddTenantForeignKey("deals_dealshare", "content_object_id", "deals_deal", "CASCADE"),
        AddTenantForeignKey("deals_dealshare", "member_id", "crm_membership", "CASCADE"),
        AddTenantForeignKey("deals_dealshare", "team_id", "crm_team", "CASCADE"),
        AddTenantForeignKey("deals_dealshare", "granted_by_id", "crm_membership", "SET NULL"),
        Audit("deals_pipeline"),
        Audit("deals_stage"),
        Audit("deals_deal", derived=("name_norm", "weighted", "position", "stage_entered_at", "touched_at")),
        Audit("deals_dealcontact", parent="deal_id"),
        Audit("deals_dealshare", parent="content_object_id"),
    ]
