"""What lists of deals are filtered by most stands in the key of their indexes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0017_sieved_by_key"),
        ("crm", "0021_bulk_runs_listed"),
        ("deals", "0014_search_known_words"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                models.F("owner"),
                models.F("stage"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("name_norm",),
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
                models.F("stage"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=(
                    "name_norm",
                    "amount",
                    "close_date",
                    "sort_t1",
                    "sort_t2",
                    "sort_t3",
                    "sort_n1",
                    "sort_n2",
                    "sort_n3",
                ),
                name="deal_owned",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("name_norm"),
                models.F("id"),
                models.F("owner"),
                models.F("stage"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("updated_at",),
                name="deal_named",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("amount"),
                models.F("id"),
                models.F("owner"),
                models.F("stage"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="deal_by_amount",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("close_date"),
                models.F("id"),
                models.F("owner"),
                models.F("stage"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="deal_by_closing",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_amount",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_closing",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_by_change",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_by_name",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_by_owner",
        ),
    ]
