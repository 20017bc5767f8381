"""Search in deals reads what somebody owns or is shown at less cost."""

from django.db import migrations

from crm.tenancy.searching import made_again


class Migration(migrations.Migration):
    dependencies = [("deals", "0011_sorted_by_index")]

    operations = made_again("deals.migrations.0007_search")
