"""Words are looked up by what follows their first letter, which may be the wrong one."""

import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("crm", "0018_shorter_sort_texts")]

    operations = [
        AddIndexConcurrently(
            "searchword",
            models.Index(models.F("org"), django.db.models.functions.text.Substr("word", 2), name="searchword_tail"),
        ),
    ]
