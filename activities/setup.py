"""What activities add to the kernel's registries. Called when the apps are ready; again does no harm."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from activities import binning, commands, history, home, notices, records, search
from activities import receivers as receivers  # importing them registers them
from activities.timeline import write_entries
from activities.timelines import MODELS
from activities.views.timeline import panel
from crm.records import timeline
from crm.records.registry import registry
from crm.web.commands import commands as palette
from crm.web.nav import create
from crm.web.panels import panels


def register() -> None:
    """Provides the timeline, says how child rows read in it, and puts it on the pages of records."""
    timeline.provide(write_entries)
    history.register()
    binning.register()
    home.register()
    notices.register()
    registry.register_related(records.ACTIVITY)
    search.register()
    for kind in MODELS:
        registry.relate(kind, records.of(kind))
        panels.add(kind, "main", panel, order=10)
        palette.add(kind, commands.log, order=10)
    create.add("activity", _("Log activity"), "phone", "activity_new", order=40)
