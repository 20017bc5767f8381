"""Search in tasks and activities names the words that begin alike, and notes the beginning of words with digits for it."""

from importlib import import_module

from django.db import migrations

from crm.tenancy.searching import Searchable

FORMER = ("0005_search", "0007_tasks_tenancy")


class Migration(migrations.Migration):
    dependencies = [("activities", "0012_search_again"), ("crm", "0020_known_words")]

    operations = [
        each.again()
        for name in FORMER
        for each in import_module(f"activities.migrations.{name}").Migration.operations
        if isinstance(each, Searchable)
    ]
