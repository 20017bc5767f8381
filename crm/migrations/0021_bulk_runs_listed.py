"""Bulk runs know the list that they were begun from, and are listed by who made them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0020_known_words")]

    operations = [
        migrations.AddField(model_name="bulkrun", name="came_from", field=models.TextField(blank=True, default="")),
        migrations.AddIndex(
            model_name="bulkrun",
            index=models.Index(
                models.F("org"), models.F("owner"), models.OrderBy(models.F("id"), descending=True), name="bulkrun_own"
            ),
        ),
    ]
