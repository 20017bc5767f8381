"""Activities and the timeline."""

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    """What happened, and when."""

    name = "activities"

    def ready(self) -> None:
        """Provides the timeline to the apps below."""
        from activities.timeline import write_entries  # noqa: PLC0415 -- models are ready by now
        from crm.records import timeline  # noqa: PLC0415 -- models are ready by now

        timeline.provide(write_entries)
