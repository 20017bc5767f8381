"""Texts of own fields are sorted by their first hundred characters."""

from django.db import migrations

from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0017_norms")]

    operations = [RunSqlFile("crm/tenancy/sql/sort_texts.sql")]
