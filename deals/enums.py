"""Fixed choices of deals."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class StageKind(models.TextChoices):
    """What reaching a stage means."""

    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


class DealStatus(models.TextChoices):
    """Where a deal has ended, if it has."""

    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")
    ABANDONED = "abandoned", _("Abandoned")


class ForecastCategory(models.TextChoices):
    """How a deal counts in a forecast."""

    OMITTED = "omitted", _("Omitted")
    PIPELINE = "pipeline", _("Pipeline")
    BEST_CASE = "best_case", _("Best case")
    COMMIT = "commit", _("Commit")
    CLOSED = "closed", _("Closed")


# What a lost deal may give as its reason; imports and the API may bring others.
LOST_REASONS = (
    _("Went with a competitor"),
    _("No budget"),
    _("No decision"),
    _("Price"),
    _("Timing"),
    _("Missing feature"),
)
