"""Who has an address or a domain is asked in one message, and answered with ids."""

from django.db import migrations

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import RunSqlFile

FUNCTION = "keel_find_keys(integer, integer[], text[], text[])"


class Migration(migrations.Migration):
    dependencies = [("contacts", "0013_search_again"), ("crm", "0017_norms")]

    operations = [
        RunSqlFile("contacts/sql/find_keys.sql", f"DROP FUNCTION {FUNCTION}"),
        DefinerFunctions([FUNCTION], []),  # search has the rights already
    ]
