"""Deals and the board."""

from django.apps import AppConfig


class DealsConfig(AppConfig):
    """Pipelines, stages, deals, and the board."""

    name = "deals"

    def ready(self) -> None:
        """Fills the registries and hooks of the kernel."""
        from deals import live, setup  # noqa: PLC0415 -- models are loaded by now

        setup.register()
        live.register()
