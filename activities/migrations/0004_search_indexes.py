"""Indexes of words and of fragments, built while the tables are in use."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("activities", "0003_fill_recycle_bin"),
        ("contacts", "0007_search_indexes"),
        ("crm", "0008_search"),
        ("deals", "0006_search_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="activity",
            index=GinIndex(
                models.Func(
                    models.F("org_id"),
                    models.Func(models.F("subject"), models.F("body"), function="keel_text"),
                    function="keel_word_vector",
                ),
                condition=models.Q(
                    ("deleted_at__isnull", True),
                    models.Q(
                        models.Q(("subject", ""), _negated=True), models.Q(("body", ""), _negated=True), _connector="OR"
                    ),
                ),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="activity_words",
            ),
        ),
    ]
