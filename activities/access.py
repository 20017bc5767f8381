"""How activities are reached one by one."""

from __future__ import annotations

from uuid import UUID

from activities import rules
from activities.models import Activity
from crm import access
from crm.lib.errors import Forbidden
from crm.tenancy.context import Actor


def get_correctable(activity_id: UUID | str, actor: Actor) -> Activity:
    """A note, call or meeting that the actor may correct, locked: their own, a manager's team's, an admin's all.

    Raises NotFound, and Forbidden for what Keel wrote itself.
    """
    activity = access.get_writable(Activity, activity_id, actor)
    if reason := rules.closed(activity.type):
        raise Forbidden(reason)
    return activity
