"""Indexes of lists carry what those are filtered by most; built beside the former ones while the tables are in use."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0011_filters_by_index"),
        ("crm", "0014_sortable_fields"),
        ("deals", "0009_sort_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "stage", "status"),
                name="deal_changed",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("stage", "status"),
                name="deal_owned",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("name_norm"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "stage", "status"),
                name="deal_named",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("amount"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "stage", "status"),
                name="deal_amount",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("close_date"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "stage", "status"),
                name="deal_closing",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_owner",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_updated",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_name",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_close_date",
        ),
    ]
