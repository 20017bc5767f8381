"""Search in tasks and activities reads what somebody owns or is shown at less cost."""

from importlib import import_module

from django.db import migrations

from crm.tenancy.searching import Searchable

FORMER = ("0005_search", "0007_tasks_tenancy")


class Migration(migrations.Migration):
    dependencies = [("activities", "0011_filters_by_index")]

    operations = [
        each.again()
        for name in FORMER
        for each in import_module(f"activities.migrations.{name}").Migration.operations
        if isinstance(each, Searchable)
    ]
