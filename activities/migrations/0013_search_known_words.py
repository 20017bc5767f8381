"""Search in tasks and activities names the words that begin alike, and notes the beginning of words with digits for it."""

from django.db import migrations

from crm.tenancy.searching import made_again


class Migration(migrations.Migration):
    dependencies = [("activities", "0012_search_again"), ("crm", "0020_known_words")]

    operations = made_again("activities.migrations.0005_search", "activities.migrations.0007_tasks_tenancy")
