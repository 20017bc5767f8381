"""Imports: a file, what is known of its columns, and how far it has come."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models import ChangeSet, Membership
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import OrgModel, TenantModel


class ImportStatus(models.TextChoices):
    """How far an import has come."""

    UPLOADED = "uploaded", _("Columns to check")
    QUEUED = "queued", _("Waiting to start")
    RUNNING = "running", _("Importing")
    DONE = "done", _("Done")
    FAILED = "failed", _("Stopped")


class ImportJob(OrgModel):
    """A file that a member imports. The counts add up to `processed`, and at the end to `total`."""

    record_type = models.CharField(max_length=40)
    source = models.CharField(max_length=20)
    owner = TenantForeignKey(Membership, models.PROTECT)
    file_name = models.CharField(max_length=200)
    stored_as = models.CharField(max_length=300)  # in the default storage
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)  # column number (as text) to field key
    answers = models.JSONField(default=dict)  # question to {value of the file: what it means here}
    options = models.JSONField(default=dict)  # day_first, decimal_comma, currency
    status = models.CharField(max_length=10, choices=ImportStatus.choices, default=ImportStatus.UPLOADED)
    total = models.PositiveIntegerField(default=0)
    processed = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    change_set = TenantForeignKey(ChangeSet, models.SET_NULL, null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta(OrgModel.Meta):
        indexes = [models.Index("org", models.F("id").desc(), name="importjob_newest")]


class ImportRow(TenantModel):
    """A row that was skipped or failed, with the reason, so that it can be mended and imported again; and one that is
    in without something it said, with what that is."""

    job = TenantForeignKey(ImportJob, models.CASCADE)
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=8)
    reason = models.CharField(max_length=300)
    cells = models.JSONField(default=list)  # texts; those for encrypted fields are encrypted (contacts.imports.sealing)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["org", "job", "line"], name="importrow_line")]
