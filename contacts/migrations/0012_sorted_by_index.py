"""Indexes of lists carry what those are sorted by next, those of shares what holds them; one for the last activity."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0011_filters_by_index"),
        ("crm", "0015_purged_fields"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="account",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "name_norm"),
                name="account_by_change",
            ),
        ),
        AddIndexConcurrently(
            model_name="account",
            index=models.Index(
                models.F("org"),
                models.F("name_norm"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "updated_at"),
                name="account_by_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="accountshare",
            index=models.Index(
                fields=["org", "member", "content_object"], include=("level", "until"), name="accountshare_of_member"
            ),
        ),
        AddIndexConcurrently(
            model_name="accountshare",
            index=models.Index(
                fields=["org", "team", "content_object"], include=("level", "until"), name="accountshare_of_team"
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "sort_name", "lifecycle", "lead_status"),
                name="contact_by_change",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.F("sort_name"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "updated_at", "lifecycle", "lead_status"),
                name="contact_by_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("org"),
                models.F("last_activity_at"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True), ("last_activity_at__isnull", False)),
                include=("owner", "lifecycle", "lead_status"),
                name="contact_by_activity",
            ),
        ),
        AddIndexConcurrently(
            model_name="contactshare",
            index=models.Index(
                fields=["org", "member", "content_object"], include=("level", "until"), name="contactshare_of_member"
            ),
        ),
        AddIndexConcurrently(
            model_name="contactshare",
            index=models.Index(
                fields=["org", "team", "content_object"], include=("level", "until"), name="contactshare_of_team"
            ),
        ),
        RemoveIndexConcurrently(
            model_name="account",
            name="account_updated",
        ),
        RemoveIndexConcurrently(
            model_name="account",
            name="account_name",
        ),
        RemoveIndexConcurrently(
            model_name="accountshare",
            name="accountshare_member",
        ),
        RemoveIndexConcurrently(
            model_name="accountshare",
            name="accountshare_team",
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_changed",
        ),
        RemoveIndexConcurrently(
            model_name="contact",
            name="contact_named",
        ),
        RemoveIndexConcurrently(
            model_name="contactshare",
            name="contactshare_member",
        ),
        RemoveIndexConcurrently(
            model_name="contactshare",
            name="contactshare_team",
        ),
    ]
