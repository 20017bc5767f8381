"""The values of deleted fields are erased when they can't be restored any more."""

from django.db import migrations, models

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0014_sortable_fields")]

    operations = [
        migrations.AddField("customfield", "purged_at", models.DateTimeField(editable=False, null=True)),
        RunSqlFile(
            "crm/tenancy/sql/field_erasure.sql",
            "DROP FUNCTION keel_forget_values(uuid, text, uuid[]); DROP FUNCTION keel_due_fields(timestamptz)",
        ),
        DefinerFunctions(
            ["keel_forget_values(uuid, text, uuid[])", "keel_due_fields(timestamptz)"],
            ["SELECT ON crm_customfield"],
        ),
    ]
