"""Search in deals reads what somebody owns or is shown at less cost."""

from importlib import import_module

from django.db import migrations

from crm.tenancy.searching import Searchable

FORMER = ("0007_search",)


class Migration(migrations.Migration):
    dependencies = [("deals", "0011_sorted_by_index")]

    operations = [
        each.again()
        for name in FORMER
        for each in import_module(f"deals.migrations.{name}").Migration.operations
        if isinstance(each, Searchable)
    ]
