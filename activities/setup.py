"""What activities add to the kernel's registries. Called when the apps are ready; again does no harm."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from activities import binning, commands, history, home, notices, records, search
from activities import receivers as receivers  # importing them registers them
from activities.actions.tasks import reassign_tasks
from activities.timeline import make_rows
from activities.timelines import MODELS
from activities.views.task_panel import tasks_of_record
from activities.views.timeline import panel
from crm.records import hooks, timeline
from crm.records.registry import registry
from crm.tenancy.context import Actor
from crm.web.commands import commands as palette
from crm.web.nav import create, nav
from crm.web.panels import panels


def _reassign(old_owner: UUID, new_owner: UUID, acting: Actor) -> int:
    return reassign_tasks(old_owner, new_owner, acting=acting)


def register() -> None:
    """Provides the timeline, says how child rows read in it, and puts it on the pages of records."""
    timeline.provide(make_rows)
    history.register()
    binning.register()
    home.register()
    notices.register()
    registry.register(records.TASK)
    registry.register(records.ACTIVITY)
    search.register()
    for kind in MODELS:
        for relation in records.of(kind):
            registry.relate(kind, relation)
        panels.add(kind, "main", panel, order=10)
        panels.add(kind, "side", tasks_of_record, order=20)
        palette.add(kind, commands.log, order=10)
        palette.add(kind, commands.add_task, order=12)
    palette.add(records.TASK.key, commands.complete, order=10)
    hooks.add(hooks.reassigners, _reassign)
    nav.add("task", _("Tasks"), "square-check", "task_list", key="g t", order=40)
    nav.add("activity", _("Activities"), "history", "activity_list", key="g v", order=50)
    create.add("task", _("New task"), "square-check", "task_new", order=35)
    create.add("activity", _("Log activity"), "phone", "activity_new", order=40)
