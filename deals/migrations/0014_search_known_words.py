"""Search in deals names the words that begin alike, and notes the beginning of words with digits for it."""

from importlib import import_module

from django.db import migrations

from crm.tenancy.searching import Searchable

FORMER = ("0007_search",)


class Migration(migrations.Migration):
    dependencies = [("deals", "0013_owned_sorts"), ("crm", "0020_known_words")]

    operations = [
        each.again()
        for name in FORMER
        for each in import_module(f"deals.migrations.{name}").Migration.operations
        if isinstance(each, Searchable)
    ]
