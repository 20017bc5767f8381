"""Lists can be sorted by an organisation's own fields."""

from django.db import migrations, models

from crm.tenancy.operations import Audit, RunSqlFile
from crm.tenancy.sorting import AuditLess

UNDO = """
DROP FUNCTION keel_fill_sort_slots();
DROP FUNCTION keel_sort_lock(uuid, text);
DROP FUNCTION keel_sort_number(text, jsonb, jsonb);
DROP FUNCTION keel_sort_text(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0013_estimates")]

    operations = [
        migrations.AddField(
            model_name="customfield",
            name="sort_slot",
            field=models.CharField(blank=True, default="", editable=False, max_length=2),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="customfield", name="sort_ready", field=models.BooleanField(default=False, editable=False)
        ),
        migrations.AddField(
            model_name="customfield", name="sort_filled_to", field=models.UUIDField(editable=False, null=True)
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.UniqueConstraint(
                condition=models.Q(("sort_slot", ""), _negated=True),
                fields=("org", "record_type", "sort_slot"),
                name="crm_customfield_sort_slot",
            ),
        ),
        AuditLess(Audit("crm_customfield", derived=("label_norm",)), derived=("sort_ready", "sort_filled_to")),
        RunSqlFile("crm/tenancy/sql/sorting.sql", UNDO),
    ]
