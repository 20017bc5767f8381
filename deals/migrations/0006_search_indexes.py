"""Indexes of words and of fragments, built while the tables are in use."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0007_search_indexes"),
        ("crm", "0008_search"),
        ("deals", "0005_fill_recycle_bin"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="deal",
            index=GinIndex(
                models.Func(models.F("org_id"), models.F("name_norm"), function="keel_word_vector"),
                condition=models.Q(("deleted_at__isnull", True)),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="deal_words",
            ),
        ),
    ]
