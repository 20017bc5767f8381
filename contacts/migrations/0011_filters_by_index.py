"""Indexes of lists carry what those are filtered by most; built beside the former ones while the tables are in use."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0010_sort_indexes"),
        ("crm", "0014_sortable_fields"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "lifecycle", "lead_status"),
                name="contact_changed",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.F("sort_name"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "lifecycle", "lead_status"),
                name="contact_named",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.F("owner"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("lifecycle", "lead_status"),
                name="contact_owned",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_owner",
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_updated",
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_sort_name",
        ),
    ]
