"""Indexes of lists carry what those are sorted by next, those of shares what holds them."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0011_filters_by_index"),
        ("crm", "0015_purged_fields"),
        ("deals", "0010_filters_by_index"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.OrderBy(models.F("updated_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "name_norm", "stage", "status"),
                name="deal_by_change",
            ),
        ),
        AddIndexConcurrently(
            model_name="deal",
            index=models.Index(
                models.F("org"),
                models.F("name_norm"),
                models.F("id"),
                condition=models.Q(("deleted_at__isnull", True)),
                include=("owner", "updated_at", "stage", "status"),
                name="deal_by_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="dealshare",
            index=models.Index(
                fields=["org", "member", "content_object"], include=("level", "until"), name="dealshare_of_member"
            ),
        ),
        AddIndexConcurrently(
            model_name="dealshare",
            index=models.Index(
                fields=["org", "team", "content_object"], include=("level", "until"), name="dealshare_of_team"
            ),
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_changed",
        ),
        RemoveIndexConcurrently(
            model_name="deal",
            name="deal_named",
        ),
        RemoveIndexConcurrently(
            model_name="dealshare",
            name="dealshare_member",
        ),
        RemoveIndexConcurrently(
            model_name="dealshare",
            name="dealshare_team",
        ),
    ]
