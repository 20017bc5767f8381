"""The kernel."""

from django.apps import AppConfig


class CrmConfig(AppConfig):
    """Tenancy, people, records registry, events, audit, and the web shell."""

    name = "crm"
    default_auto_field = "django.db.models.BigAutoField"
