"""Fixed choices of activities."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ActivityType(models.TextChoices):
    """What happened."""

    EMAIL = "email", _("Email")
    CALL = "call", _("Call")
    MEETING = "meeting", _("Meeting")
    NOTE = "note", _("Note")
    TASK = "task", _("Task")
    SMS = "sms", _("Text message")
    STAGE_CHANGE = "stage_change", _("Stage change")
    SYSTEM = "system", _("System")


# What Keel writes down itself.
BY_SYSTEM = (ActivityType.STAGE_CHANGE, ActivityType.SYSTEM)


class Direction(models.TextChoices):
    """Who spoke first."""

    INBOUND = "inbound", _("Inbound")
    OUTBOUND = "outbound", _("Outbound")


class Source(models.TextChoices):
    """How an activity came to be known."""

    MANUAL = "manual", _("Logged by hand")
    IMPORT = "import", _("Import")
    API = "api", _("API")
    AUTOMATION = "automation", _("Automation")
    SYSTEM = "system", _("System")


class CallOutcome(models.TextChoices):
    """How a call ended."""

    CONNECTED = "connected", _("Connected")
    NO_ANSWER = "no_answer", _("No answer")
    VOICEMAIL = "voicemail", _("Left voicemail")
    BUSY = "busy", _("Busy")
    WRONG_NUMBER = "wrong_number", _("Wrong number")


class TaskStatus(models.TextChoices):
    """How far a task has come."""

    TODO = "todo", _("To do")
    IN_PROGRESS = "in_progress", _("In progress")
    DONE = "done", _("Done")


class Priority(models.TextChoices):
    """How much a task matters beside others."""

    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")
