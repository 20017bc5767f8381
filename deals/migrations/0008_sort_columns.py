"""Deals can be sorted by an organisation's own fields: the columns for it, which a trigger fills."""

from django.db import migrations, models

from crm.tenancy.operations import Audit
from crm.tenancy.sorting import AuditLess, FillSortSlots

TEXTS, NUMBERS = ("sort_t1", "sort_t2", "sort_t3"), ("sort_n1", "sort_n2", "sort_n3")


def columns(model: str) -> list[migrations.AddField]:
    """The columns of a record type."""
    text, number = models.TextField(db_collation="C", null=True), models.FloatField(null=True)
    return [
        *(migrations.AddField(model_name=model, name=name, field=text) for name in TEXTS),
        *(migrations.AddField(model_name=model, name=name, field=number) for name in NUMBERS),
    ]


class Migration(migrations.Migration):
    dependencies = [("crm", "0014_sortable_fields"), ("deals", "0007_search")]

    operations = [
        *columns("deal"),
        AuditLess(
            Audit("deals_deal", derived=("name_norm", "weighted", "position", "stage_entered_at", "touched_at")),
            derived=(*TEXTS, *NUMBERS),
        ),
        FillSortSlots("deals_deal", "deal"),
    ]
