"""Words that begin alike are named one by one where an index is asked for them; what is spelled alike, by whether all
words are taken for misspelled."""

from django.db import migrations

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import RunSqlFile


class Migration(migrations.Migration):
    dependencies = [("crm", "0019_searchword_tail")]

    # keel_similar_query(text) stays for processes of the release before.
    operations = [
        RunSqlFile("crm/tenancy/sql/known_words.sql", "DROP FUNCTION keel_known_words(tsquery)"),
        DefinerFunctions(["keel_known_words(tsquery)"], [], trigger=True),
        RunSqlFile("crm/tenancy/sql/alike_words.sql", "DROP FUNCTION keel_alike_query(text, boolean)"),
        DefinerFunctions(["keel_alike_query(text, boolean)"], []),
    ]
