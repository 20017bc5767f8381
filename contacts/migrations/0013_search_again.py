"""Search in contacts and accounts reads what somebody owns or is shown at less cost."""

from django.db import migrations

from crm.tenancy.searching import made_again


class Migration(migrations.Migration):
    dependencies = [("contacts", "0012_sorted_by_index"), ("crm", "0016_search_grams")]

    operations = made_again("contacts.migrations.0008_search")
