from django.db import migrations

from crm.tenancy.backfill import FillRecycleBin


class Migration(migrations.Migration):
    dependencies = [("deals", "0004_lists_by_index"), ("crm", "0007_recycle_bin_tenancy")]

    operations = [FillRecycleBin("deal", "deals_deal", "r.name")]
