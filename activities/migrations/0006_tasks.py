"""Tasks."""

import datetime as dt

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.manager
from django.db import migrations, models

import crm.tenancy.fields
import crm.tenancy.models


class Migration(migrations.Migration):
    dependencies = [
        ("activities", "0005_search"),
        ("contacts", "0008_search"),
        ("crm", "0008_search"),
        ("deals", "0007_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="Task",
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
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("custom", models.JSONField(blank=True, default=dict)),
                ("title", models.CharField(max_length=200)),
                ("title_norm", crm.tenancy.fields.NormalizedField("keel_norm", "title")),
                ("description", models.TextField(blank=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("todo", "To do"), ("in_progress", "In progress"), ("done", "Done")],
                        default="todo",
                        max_length=11,
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("normal", "Normal"), ("high", "High"), ("urgent", "Urgent")],
                        default="normal",
                        max_length=6,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("is_timed", models.BooleanField(default=True)),
                (
                    "agenda_at",
                    crm.tenancy.fields.ComputedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(status="done", then=models.Value(dt.datetime(9001, 1, 1, 0, 0, tzinfo=dt.UTC))),
                            default=django.db.models.functions.comparison.Coalesce(
                                "due_at", models.Value(dt.datetime(9000, 1, 1, 0, 0, tzinfo=dt.UTC))
                            ),
                        ),
                        output_field=models.DateTimeField(),
                    ),
                ),
                ("reminder_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "account",
                    crm.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.account",
                    ),
                ),
                (
                    "contact",
                    crm.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "created_by",
                    crm.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm.membership",
                    ),
                ),
                (
                    "deal",
                    crm.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="deals.deal",
                    ),
                ),
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
                (
                    "owner",
                    crm.tenancy.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.membership",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "everything",
                "default_manager_name": "everything",
                "indexes": [
                    models.Index(
                        models.F("org"),
                        models.F("contact"),
                        models.F("agenda_at"),
                        models.F("id"),
                        condition=models.Q(("deleted_at__isnull", True), ("contact__isnull", False)),
                        name="task_contact",
                    ),
                    models.Index(
                        models.F("org"),
                        models.F("account"),
                        models.F("agenda_at"),
                        models.F("id"),
                        condition=models.Q(("deleted_at__isnull", True), ("account__isnull", False)),
                        name="task_account",
                    ),
                    models.Index(
                        models.F("org"),
                        models.F("deal"),
                        models.F("agenda_at"),
                        models.F("id"),
                        condition=models.Q(("deleted_at__isnull", True), ("deal__isnull", False)),
                        name="task_deal",
                    ),
                    models.Index(
                        models.F("org"),
                        models.F("owner"),
                        models.F("agenda_at"),
                        models.F("id"),
                        condition=models.Q(("deleted_at__isnull", True)),
                        name="task_owner",
                    ),
                    models.Index(
                        models.F("org"),
                        models.F("owner"),
                        models.OrderBy(models.F("updated_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at__isnull", True)),
                        name="task_owner_updated",
                    ),
                    models.Index(
                        models.F("org"),
                        models.F("agenda_at"),
                        models.F("id"),
                        condition=models.Q(("deleted_at__isnull", True)),
                        include=("owner",),
                        name="task_agenda",
                    ),
                    models.Index(
                        models.F("org"),
                        models.OrderBy(models.F("updated_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at__isnull", True)),
                        include=("owner",),
                        name="task_updated",
                    ),
                    models.Index(
                        models.F("org"),
                        models.F("title_norm"),
                        models.F("id"),
                        condition=models.Q(("deleted_at__isnull", True)),
                        include=("owner",),
                        name="task_title",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        models.Func(models.F("org_id"), models.F("title_norm"), function="keel_word_vector"),
                        condition=models.Q(("deleted_at__isnull", True)),
                        fastupdate=True,
                        gin_pending_list_limit=1024,
                        name="task_words",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("org", "id"), name="activities_task_org_id"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("completed_at__isnull", False), ("status", "done")),
                            models.Q(models.Q(("status", "done"), _negated=True), ("completed_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="activities_task_completed",
                    ),
                ],
            },
            managers=[
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
    ]
