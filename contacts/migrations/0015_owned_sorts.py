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

    dependencies = [("contacts", "0014_find_keys"), ("crm", "0018_shorter_sort_texts")]

    operations = [
        AddIndexConcurrently(
            "account", models.Index(*OWNED, include=("name_norm", *SLOTS), name="account_by_owner", condition=LIVE)
        ),
        AddIndexConcurrently(
            "contact",
            models.Index(
                *OWNED,
                include=("sort_name", "last_activity_at", "lifecycle", "lead_status", *SLOTS),
                name="contact_by_owner",
                condition=LIVE,
            ),
        ),
        RemoveIndexConcurrently("account", "account_owner"),
        RemoveIndexConcurrently("contact", "contact_owned"),
    ]
