"""Fixed choices of the kernel."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a member may do; the matrix stands in docs/permissions.md."""

    ADMIN = "admin", _("Admin")
    MANAGER = "manager", _("Manager")
    REP = "rep", _("Sales rep")
    READONLY = "readonly", _("Read-only")


class Visibility(models.TextChoices):
    """Who sees records that are not shared with them, by an organisation's default."""

    PRIVATE = "private", _("Private: owners, their managers, and those it is shared with")
    ALL_READ = "all_read", _("Everybody may read")


class ShareLevel(models.TextChoices):
    """What a share allows."""

    READ = "read", _("Can view")
    WRITE = "write", _("Can edit")


class FieldLevel(models.TextChoices):
    """What a role may do with a field."""

    HIDDEN = "hidden", _("Hidden")
    READ = "read", _("Can view")
    EDIT = "edit", _("Can edit")


class ViewScope(models.TextChoices):
    """Who sees a saved view."""

    PRIVATE = "private", _("Only me")
    TEAM = "team", _("A team")
    ORGANIZATION = "organization", _("Everybody")


class TokenKind(models.TextChoices):
    """What a single-use token opens."""

    INVITATION = "invitation", _("Invitation")


class ChangeSetKind(models.TextChoices):
    """What kind of work wrote a set of changes together."""

    BULK_EDIT = "bulk_edit", _("Bulk edit")
    IMPORT = "import", _("Import")
    MERGE = "merge", _("Merge")
    AUTOMATION = "automation", _("Automation")
    UNDO = "undo", _("Undo")
    REASSIGN = "reassign", _("Reassignment")
    RESTORE = "restore", _("Restored")
    PURGE = "purge", _("Deleted for good")


class BulkKind(models.TextChoices):
    """What a bulk run does with its records."""

    ASSIGN = "assign", _("Assign")
    SET = "set", _("Set a field")
    TAG = "tag", _("Add tags")
    UNTAG = "untag", _("Remove tags")
    STAGE = "stage", _("Move to a stage")
    DELETE = "delete", _("Delete")
    UNDO = "undo", _("Undo")

    def called(self, label: str) -> str:
        """What a run of this kind is called; `label` names what it sets, or takes back."""
        texts = {BulkKind.SET: _("Set %(what)s"), BulkKind.UNDO: _("Undo of %(what)s")}
        return texts[self] % {"what": label} if self in texts else str(self.label)


class BulkStatus(models.TextChoices):
    """How far a bulk run has come."""

    QUEUED = "queued", _("Waiting to start")
    RUNNING = "running", _("Under way")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Stopped")


class PurgeReason(models.TextChoices):
    """Why something was deleted for good."""

    RETENTION = "retention", _("Its time in the recycle bin was over")
    ADMIN = "admin", _("By an admin")
