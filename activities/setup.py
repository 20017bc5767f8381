"""What activities add to the kernel's registries. Called when the apps are ready; again does no harm."""

from __future__ import annotations

from activities import history
from activities.timeline import write_entries
from crm.records import timeline


def register() -> None:
    """Provides the timeline, and says how child rows read in it."""
    timeline.provide(write_entries)
    history.register()
