"""The app that holds commands which need every other app, such as the demo data."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Has no models: Django looks here for management commands only."""

    name = "crm.config"
    label = "config"
