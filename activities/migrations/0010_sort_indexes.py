"""Indexes for sorting by an organisation's own fields, built while the tables are in use."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

COLUMNS = ("sort_t1", "sort_t2", "sort_t3", "sort_n1", "sort_n2", "sort_n3")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("activities", "0009_sort_columns")]

    operations = [
        AddIndexConcurrently(
            model_name=model,
            index=models.Index(
                models.F("org"),
                models.F(column),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), (f"{column}__isnull", False)),
                include=("owner",),
                name=f"{model}_{column}",
            ),
        )
        for model in ("task",)
        for column in COLUMNS
    ]
