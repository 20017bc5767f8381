"""Words are found though their first letter is wrong."""

import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("crm", "0018_shorter_sort_texts")]

    operations = [
        AddIndexConcurrently(
            "searchword",
            models.Index(models.F("org"), django.db.models.functions.text.Substr("word", 2), name="searchword_tail"),
        ),
        RunSqlFile("crm/tenancy/sql/similar_words.sql"),
        DefinerFunctions(["keel_similar_query(text)"], []),
    ]
