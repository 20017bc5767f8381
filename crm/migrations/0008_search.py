"""Search: the dictionary of words, and what the functions of each table stand on."""

import django.db.models.deletion
from django.db import migrations, models

import crm.tenancy.fields
import crm.tenancy.models
from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import EnableTenancy, RunSqlFile

UNDO = """
DROP FUNCTION keel_similar_query(text), keel_anywhere(text), keel_number_fragment(text), keel_address_fragment(text),
    keel_gram_query(text), keel_word_query(text), keel_words(text), keel_gram_vector(uuid, text),
    keel_word_vector(uuid, text), keel_text(text, text), keel_with_address(text, text), keel_spaced(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0007_recycle_bin_tenancy"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=crm.tenancy.fields.DatabaseUUID7(),
                        default=crm.tenancy.fields.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("word", models.TextField(db_collation="C")),
                (
                    "org",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=crm.tenancy.models._current_org_id,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["org", "word"], name="searchword_word")],
                "constraints": [models.UniqueConstraint(fields=("org", "id"), name="crm_searchword_org_id")],
            },
        ),
        EnableTenancy("crm_searchword", admin_only=True),
        # Words of records that a member does not see are not for this member.
        migrations.RunSQL(
            "CREATE POLICY visible ON crm_searchword AS RESTRICTIVE FOR SELECT USING (app_reach() = 'all')",
            "DROP POLICY visible ON crm_searchword",
        ),
        RunSqlFile("crm/tenancy/sql/search.sql", UNDO),
        RunSqlFile("crm/tenancy/sql/search_grams.sql"),
        DefinerFunctions(["keel_similar_query(text)"], ["SELECT, INSERT ON crm_searchword"]),
    ]
