"""Search in tasks and activities reads what somebody owns or is shown at less cost."""

from django.db import migrations

from crm.tenancy.searching import made_again


class Migration(migrations.Migration):
    dependencies = [("activities", "0011_filters_by_index")]

    operations = made_again("activities.migrations.0005_search", "activities.migrations.0007_tasks_tenancy")
