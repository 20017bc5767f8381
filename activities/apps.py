"""Activities and the timeline."""

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    """What happened, and when."""

    name = "activities"

    def ready(self) -> None:
        """Fills the registries and hooks of the kernel."""
        from activities import setup  # noqa: PLC0415 -- models are loaded by now

        setup.register()
