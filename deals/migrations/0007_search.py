"""Search in deals."""

from django.db import migrations

from crm.tenancy.operations import Owned
from crm.tenancy.searching import Searchable


class Migration(migrations.Migration):
    dependencies = [("deals", "0006_search_indexes")]

    operations = [
        Searchable(
            "deals_deal",
            Owned("deals_dealshare", "content_object_id"),
            names=("name_norm",),
            words="{t}.name_norm",
            written=("name",),
        ),
    ]
