from django.db import migrations

from crm.tenancy.backfill import FillRecycleBin

NAME = "coalesce(nullif(r.subject, ''), nullif(btrim(split_part(ltrim(r.body), E'\\n', 1)), ''), r.type)"


class Migration(migrations.Migration):
    dependencies = [("activities", "0002_tenancy"), ("crm", "0007_recycle_bin_tenancy")]

    operations = [FillRecycleBin("activity", "activities_activity", NAME)]
