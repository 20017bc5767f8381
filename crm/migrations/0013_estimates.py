"""Counts of long lists are estimated."""

from django.db import migrations

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0012_saved_views_tenancy")]

    operations = [
        RunSqlFile("crm/tenancy/sql/estimate.sql", "DROP FUNCTION keel_estimate(text)"),
        DefinerFunctions(["keel_estimate(text)"], []),
    ]
