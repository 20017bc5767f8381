"""Contacts and accounts."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """People and companies: records, duplicates, import."""

    name = "contacts"

    def ready(self) -> None:
        """Fills the registries and hooks of the kernel."""
        from contacts import setup  # noqa: PLC0415 -- models are loaded by now

        setup.register()
