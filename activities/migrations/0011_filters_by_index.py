"""Indexes of lists carry what those are filtered by most; built beside the former ones while the tables are in use."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("activities", "0010_sort_indexes"),
        ("contacts", "0008_search"),
        ("crm", "0014_sortable_fields"),
        ("deals", "0007_search"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="activity",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.OrderBy(models.F("occurred_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(
                    ("deleted_at__isnull", True), models.Q(("type__in", ("stage_change", "system")), _negated=True)
                ),
                include=("type",),
                name="activity_owned_listed",
            ),
        ),
        AddIndexConcurrently(
            model_name="activity",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("occurred_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(
                    ("deleted_at__isnull", True), models.Q(("type__in", ("stage_change", "system")), _negated=True)
                ),
                include=("owner", "type"),
                name="activity_newest_listed",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.F("agenda_at"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("status",),
                name="task_owned",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("status",),
                name="task_owned_changed",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("agenda_at"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "status"),
                name="task_planned",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "status"),
                name="task_changed",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                models.F("org"),
                models.F("title_norm"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "status"),
                name="task_named",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="activity",
            name="activity_owner_listed",
        ),
        RemoveIndexConcurrently(
            model_name="activity",
            name="activity_listed",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_owner",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_owner_updated",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_agenda",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_updated",
        ),
        RemoveIndexConcurrently(
            model_name="task",
            name="task_title",
        ),
    ]
