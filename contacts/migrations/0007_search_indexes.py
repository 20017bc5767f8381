"""Indexes of words and of fragments, built while the tables are in use."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0006_fill_recycle_bin"),
        ("crm", "0008_search"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="account",
            index=GinIndex(
                models.Func(
                    models.F("org_id"),
                    models.Func(models.F("name_norm"), models.F("domain"), function="keel_with_address"),
                    function="keel_word_vector",
                ),
                condition=models.Q(("deleted_at__isnull", True)),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="account_words",
            ),
        ),
        AddIndexConcurrently(
            model_name="account",
            index=GinIndex(
                models.Func(
                    models.F("org_id"),
                    models.Func(models.F("phone"), function="keel_digits"),
                    function="keel_gram_vector",
                ),
                condition=models.Q(("deleted_at__isnull", True)),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="account_phone",
            ),
        ),
        AddIndexConcurrently(
            model_name="accountdomain",
            index=GinIndex(
                models.Func(models.F("org_id"), models.F("domain"), function="keel_gram_vector"),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="accountdomain_grams",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=GinIndex(
                models.Func(
                    models.F("org_id"),
                    models.Func(models.F("full_name_norm"), models.F("email_norm"), function="keel_with_address"),
                    function="keel_word_vector",
                ),
                condition=models.Q(("deleted_at__isnull", True)),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="contact_words",
            ),
        ),
        AddIndexConcurrently(
            model_name="contactemail",
            index=GinIndex(
                models.Func(models.F("org_id"), models.F("address_norm"), function="keel_gram_vector"),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="contactemail_grams",
            ),
        ),
        AddIndexConcurrently(
            model_name="contactphone",
            index=GinIndex(
                models.Func(models.F("org_id"), models.F("number_norm"), function="keel_gram_vector"),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="contactphone_grams",
            ),
        ),
    ]
