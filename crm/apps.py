"""The kernel."""

from datetime import timedelta

from django.apps import AppConfig

from crm.lib import schedule


class CrmConfig(AppConfig):
    """Tenancy, people, records registry, events, audit, and the web shell."""

    name = "crm"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers what the kernel does by itself."""
        schedule.every(timedelta(hours=1), "crm.upkeep.clear_expired")
