"""Row-level security, tenant keys, audit and search of tasks."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy, Owned, Through
from crm.tenancy.searching import Searchable

TASK = Through(
    (
        ("deal_id", "deals_deal", Owned("deals_dealshare", "content_object_id")),
        ("contact_id", "contacts_contact", Owned("contacts_contactshare", "content_object_id")),
        ("account_id", "contacts_account", Owned("contacts_accountshare", "content_object_id")),
    ),
    owner="owner_id",
)


class Migration(migrations.Migration):
    dependencies = [("activities", "0006_tasks")]

    operations = [
        EnableTenancy("activities_task", TASK),
        AddTenantForeignKey("activities_task", "owner_id", "crm_membership"),
        AddTenantForeignKey("activities_task", "created_by_id", "crm_membership", "SET NULL"),
        AddTenantForeignKey("activities_task", "contact_id", "contacts_contact", "CASCADE"),
        AddTenantForeignKey("activities_task", "account_id", "contacts_account", "CASCADE"),
        AddTenantForeignKey("activities_task", "deal_id", "deals_deal", "CASCADE"),
        Audit("activities_task", derived=("title_norm", "agenda_at")),
        Searchable("activities_task", TASK, names=("title_norm",), words="{t}.title_norm", written=("title",)),
    ]
