"""Activities and the timeline."""

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    """What happened, and when."""

    name = "activities"
