"""Search in deals names the words that begin alike, and notes the beginning of words with digits for it."""

from django.db import migrations

from crm.tenancy.searching import made_again


class Migration(migrations.Migration):
    dependencies = [("deals", "0013_owned_sorts"), ("crm", "0020_known_words")]

    operations = made_again("deals.migrations.0007_search")
