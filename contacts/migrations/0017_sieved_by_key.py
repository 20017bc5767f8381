"""What lists of contacts are filtered by most stands in the key of their indexes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0016_search_known_words"),
        ("crm", "0021_bulk_runs_listed"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                models.F("owner"),
                models.F("lifecycle"),
                models.F("lead_status"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("sort_name",),
                name="contact_changed",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.F("sort_name"),
                models.F("id"),
                models.F("owner"),
                models.F("lifecycle"),
                models.F("lead_status"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("updated_at",),
                name="contact_named",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.F("last_activity_at"),
                models.F("id"),
                models.F("owner"),
                models.F("lifecycle"),
                models.F("lead_status"),
                condition=models.Q(("deleted_at__isnull", True), ("last_activity_at__isnull", False)),
                name="contact_active",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                models.F("lifecycle"),
                models.F("lead_status"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=(
                    "sort_name",
                    "last_activity_at",
                    "sort_t1",
                    "sort_t2",
                    "sort_t3",
                    "sort_n1",
                    "sort_n2",
                    "sort_n3",
                ),
                name="contact_owned",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_by_change",
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_by_name",
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_by_activity",
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_by_owner",
        ),
    ]
