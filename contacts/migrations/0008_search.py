"""Search in contacts and accounts."""

from django.db import migrations

from crm.tenancy.operations import Owned
from crm.tenancy.searching import Fragments, Searchable


class Migration(migrations.Migration):
    dependencies = [("contacts", "0007_search_indexes")]

    operations = [
        Searchable(
            "contacts_contact",
            Owned("contacts_contactshare", "content_object_id"),
            names=("sort_name", "full_name_norm"),
            addresses=(("email_norm", "email"),),
            numbers=(("phone_norm", "phone"),),
            words="keel_with_address({t}.full_name_norm, {t}.email_norm)",
            written=("first_name", "last_name", "email"),
            fragments=(
                Fragments("{c}.address_norm", "address", "address", "contacts_contactemail", "contact_id"),
                Fragments("{c}.number_norm", "number", "number", "contacts_contactphone", "contact_id"),
            ),
        ),
        Searchable(
            "contacts_account",
            Owned("contacts_accountshare", "content_object_id"),
            names=("name_norm",),
            words="keel_with_address({t}.name_norm, {t}.domain)",
            written=("name", "domain"),
            fragments=(
                Fragments("{c}.domain", "domain", "address", "contacts_accountdomain", "account_id"),
                Fragments("keel_digits({c}.phone)", "phone", "number"),
            ),
        ),
    ]
