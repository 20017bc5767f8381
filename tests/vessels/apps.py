"""A record type that exists in the tests only: the proof that the registry is all that a type needs."""

from django.apps import AppConfig


class VesselsConfig(AppConfig):
    """Ships."""

    name = "tests.vessels"
    label = "vessels"

    def ready(self) -> None:
        """Registers the type."""
        from tests.vessels.records import register  # noqa: PLC0415 -- models are ready now

        register()
