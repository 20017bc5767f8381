"""Indexes for the list of what people did, built while the table is in use."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("activities", "0007_tasks_tenancy")]

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
                name="activity_owner_listed",
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
                include=("owner",),
                name="activity_listed",
            ),
        ),
    ]
