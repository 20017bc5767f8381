"""Row-level security, tenant keys and audit of contacts and accounts."""

from django.db import migrations

from crm.tenancy.operations import AddTenantForeignKey, Audit, EnableTenancy, Owned, Through

ACCOUNT = Owned("contacts_accountshare", "content_object_id")
CONTACT = Owned("contacts_contactshare", "content_object_id")
OF_ACCOUNT = Through((("account_id", "contacts_account", ACCOUNT),))
OF_CONTACT = Through((("contact_id", "contacts_contact", CONTACT),))


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial"), ("crm", "0002_tenancy")]

    operations = [
        EnableTenancy("contacts_accountshare"),
        EnableTenancy("contacts_contactshare"),
        EnableTenancy("contacts_account", ACCOUNT),
        EnableTenancy("contacts_contact", CONTACT),
        EnableTenancy("contacts_accountdomain", OF_ACCOUNT),
        EnableTenancy("contacts_contactemail", OF_CONTACT),
        EnableTenancy("contacts_contactphone", OF_CONTACT),
        EnableTenancy("contacts_accountcontact", OF_CONTACT),
        AddTenantForeignKey("contacts_account", "owner_id", "crm_membership"),
        AddTenantForeignKey("contacts_account", "parent_id", "contacts_account", "SET NULL"),
        AddTenantForeignKey("contacts_accountdomain", "account_id", "contacts_account", "CASCADE"),
        AddTenantForeignKey("contacts_contact", "owner_id", "crm_membership"),
        AddTenantForeignKey("contacts_contact", "account_id", "contacts_account", "SET NULL"),
        AddTenantForeignKey("contacts_contactemail", "contact_id", "contacts_contact", "CASCADE"),
        AddTenantForeignKey("contacts_contactphone", "contact_id", "contacts_contact", "CASCADE"),
        AddTenantForeignKey("contacts_accountcontact", "account_id", "contacts_account", "CASCADE"),
        AddTenantForeignKey("contacts_accountcontact", "contact_id", "contacts_contact", "CASCADE"),
        *(
            operation
            for table, to in (
                ("contacts_accountshare", "contacts_account"),
                ("contacts_contactshare", "contacts_contact"),
            )
            for operation in (
                AddTenantForeignKey(table, "content_object_id", to, "CASCADE"),
                AddTenantForeignKey(table, "member_id", "crm_membership", "CASCADE"),
                AddTenantForeignKey(table, "team_id", "crm_team", "CASCADE"),
                AddTenantForeignKey(table, "granted_by_id", "crm_membership", "SET NULL"),
                Audit(table, parent="content_object_id"),
            )
        ),
        Audit("contacts_account", derived=("name_norm", "domain")),
        Audit("contacts_accountdomain", parent="account_id"),
        Audit(
            "contacts_contact",
            derived=("sort_name", "full_name_norm", "email_norm", "phone_norm", "last_activity_at"),
        ),
        Audit("contacts_contactemail", derived=("address_norm",), parent="contact_id"),
        Audit("contacts_contactphone", derived=("number_norm",), parent="contact_id"),
        Audit("contacts_accountcontact", parent="contact_id"),
    ]
