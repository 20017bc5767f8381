"""What generated columns are made by costs an INSERT less."""

from django.db import migrations

from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0016_search_grams")]

    operations = [RunSqlFile("crm/tenancy/sql/norms.sql")]
