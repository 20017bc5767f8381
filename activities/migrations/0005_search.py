"""Search in notes and other texts of activities."""

from django.db import migrations

from crm.tenancy.operations import Owned, Through
from crm.tenancy.searching import Searchable

ACTIVITY = Through(
    (
        ("deal_id", "deals_deal", Owned("deals_dealshare", "content_object_id")),
        ("contact_id", "contacts_contact", Owned("contacts_contactshare", "content_object_id")),
        ("account_id", "contacts_account", Owned("contacts_accountshare", "content_object_id")),
    ),
    owner="owner_id",
)


class Migration(migrations.Migration):
    dependencies = [
        ("activities", "0004_search_indexes"),
        ("contacts", "0008_search"),
        ("deals", "0007_search"),
    ]

    operations = [
        Searchable(
            "activities_activity",
            ACTIVITY,
            words="keel_text({t}.subject, {t}.body)",
            written=("subject", "body"),
            having="({t}.subject <> '' OR {t}.body <> '')",
            moment="occurred_at",
        ),
    ]
