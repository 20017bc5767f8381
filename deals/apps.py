"""Deals and the board."""

from django.apps import AppConfig


class DealsConfig(AppConfig):
    """Pipelines, stages, deals, and the board."""

    name = "deals"
