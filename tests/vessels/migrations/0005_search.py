import django.contrib.postgres.indexes
from django.db import migrations, models

from crm.tenancy.operations import Owned
from crm.tenancy.searching import Searchable


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0008_search"),
        ("vessels", "0004_sailors"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="vessel",
            index=django.contrib.postgres.indexes.GinIndex(
                models.Func(models.F("org_id"), models.F("name_norm"), function="keel_word_vector"),
                condition=models.Q(("deleted_at__isnull", True)),
                fastupdate=True,
                gin_pending_list_limit=1024,
                name="vessel_words",
            ),
        ),
        Searchable("vessels_vessel", Owned(), names=("name_norm",), words="{t}.name_norm", written=("name",)),
    ]
