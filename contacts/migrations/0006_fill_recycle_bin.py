from django.db import migrations

from crm.tenancy.backfill import FillRecycleBin

# The contacts whose first link is to a deleted account showed it until then.
SHOWED_IT = """coalesce((SELECT jsonb_build_object('contacts_contact.account_id', jsonb_agg(l.contact_id))
    FROM contacts_accountcontact l WHERE l.org_id = r.org_id AND l.account_id = r.id AND l.is_primary
    HAVING count(*) > 0), '{}')"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0005_lists_by_index"), ("crm", "0007_recycle_bin_tenancy")]

    operations = [
        FillRecycleBin(
            "contact", "contacts_contact", "coalesce(nullif(btrim(r.first_name || ' ' || r.last_name), ''), r.email)"
        ),
        FillRecycleBin("account", "contacts_account", "r.name", emptied=SHOWED_IT),
    ]
