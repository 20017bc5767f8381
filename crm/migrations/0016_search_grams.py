"""Parts of addresses are found by where their words begin and end, too."""

from django.db import migrations

from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0015_purged_fields")]

    operations = [RunSqlFile("crm/tenancy/sql/search_grams.sql")]
