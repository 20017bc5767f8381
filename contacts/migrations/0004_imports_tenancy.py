"""Row-level security and tenant keys of imports. They are not audited: a job is its own record, its rows are notes."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, EnableTenancy, Owned, Through


class Migration(migrations.Migration):
    dependencies = [("contacts", "0003_imports")]

    operations = [
        EnableTenancy("contacts_importjob", Owned()),
        EnableTenancy("contacts_importrow", Through((("job_id", "contacts_importjob", Owned()),))),
        AddTenantForeignKey("contacts_importjob", "owner_id", "crm_membership"),
        AddTenantForeignKey("contacts_importjob", "change_set_id", "crm_changeset", "SET NULL"),
        AddTenantForeignKey("contacts_importrow", "job_id", "contacts_importjob", "CASCADE"),
    ]
