"""The index of an owner's records carries all that their lists are sorted by."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

OWNED = (
    models.F("org"),
    models.F("owner"),
    models.OrderBy(models.F("updated_at"), descending=True),
    models.OrderBy(models.F("id"), descending=True),
)
LIVE = models.Q(("deleted_at__isnull", True))
SLOTS = ("sort_t1", "sort_t2", "sort_t3", "sort_n1", "sort_n2", "sort_n3")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("deals", "0012_search_again"), ("crm", "0018_shorter_sort_texts")]

    operations = [
        AddIndexConcurrently(
            "deal",
            models.Index(
                *OWNED,
                include=("name_norm", "amount", "close_date", "stage", "status", *SLOTS),
                name="deal_by_owner",
                condition=LIVE,
            ),
        ),
        RemoveIndexConcurrently("deal", "deal_owned"),
    ]
