"""Search in contacts and accounts reads what somebody owns or is shown at less cost."""

from importlib import import_module

from django.db import migrations

from crm.tenancy.searching import Searchable

FORMER = ("0008_search",)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0012_sorted_by_index"), ("crm", "0016_search_grams")]

    operations = [
        each.again()
        for name in FORMER
        for each in import_module(f"contacts.migrations.{name}").Migration.operations
        if isinstance(each, Searchable)
    ]
