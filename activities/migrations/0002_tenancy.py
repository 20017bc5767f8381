"""Row-level security, tenant keys and audit of activities."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy, Owned, Through

ACTIVITY = Through(
    (
        ("deal_id", "deals_deal", Owned("deals_dealshare", "content_object_id")),
        ("contact_id", "contacts_contact", Owned("contacts_contactshare", "content_object_id")),
        ("account_id", "contacts_account", Owned("contacts_accountshare", "content_object_id")),
    ),
    owner="owner_id",
)


class Migration(migrations.Migration):
    dependencies = [("activities", "0001_initial"), ("deals", "0002_tenancy")]

    operations = [
        EnableTenancy("activities_activity", ACTIVITY),
        AddTenantForeignKey("activities_activity", "owner_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("activities_activity", "contact_id", "contacts_contact", "CASCADE"),
        AddTenantForeignKey("activities_activity", "account_id", "contacts_account", "CASCADE"),
        AddTenantForeignKey("activities_activity", "deal_id", "deals_deal", "CASCADE"),
        Audit("activities_activity"),
    ]
