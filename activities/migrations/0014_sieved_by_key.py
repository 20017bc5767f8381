"""What lists of tasks are filtered by most stands in the key of their indexes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("activities", "0013_search_known_words"),
        ("contacts", "0016_search_known_words"),
        ("crm", "0021_bulk_runs_listed"),
        ("deals", "0014_search_known_words"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.F("agenda_at"),
                models.F("id"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="task_by_owner",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="task_by_owner_changed",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("agenda_at"),
                models.F("id"),
                models.F("owner"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="task_by_plan",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                models.F("owner"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="task_by_change",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("title_norm"),
                models.F("id"),
                models.F("owner"),
                models.F("status"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="task_by_title",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_owned",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_owned_changed",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_planned",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_changed",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_named",
        ),
    ]
