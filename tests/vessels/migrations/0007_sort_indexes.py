"""Indexes for sorting by an organisation's own fields."""

from django.db import migrations, models

COLUMNS = ("sort_t1", "sort_t2", "sort_t3", "sort_n1", "sort_n2", "sort_n3")


class Migration(migrations.Migration):
    dependencies = [("vessels", "0006_sort_columns")]

    operations = [
        migrations.AddIndex(
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
        for model in ("vessel",)
        for column in COLUMNS
    ]
