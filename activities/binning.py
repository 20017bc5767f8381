"""Activities in the recycle bin, and those that go there with what they are about; tasks stay their owners'."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from activities import rules
from activities.actions import _touch
from activities.actions.log import KEY, event_of
from activities.actions.tasks import KEY as TASK
from activities.events import ActivityDeleted, ActivityRestored
from activities.models import Activity, Task
from activities.timelines import MODELS
from crm.models import BinEntry
from crm.records import hooks
from crm.records.bin import Along, BinType, goes_along
from crm.records.bin import register as register_bin
from crm.records.registry import Bin
from crm.tenancy.context import Actor


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    does = Bin(
        deleted=lambda activity: event_of(ActivityDeleted, activity),
        restored=lambda activity: event_of(ActivityRestored, activity),
        after_delete=_deleted,
        after_restore=_restored,
        must_stay=_written_by_keel,
    )
    register_bin(BinType(KEY, Activity, _("Activity"), _("Activities"), "message-square", _name, does))
    for kind in MODELS:
        goes_along(kind, Along(Activity, f"{kind}_id", _entries))
    hooks.add(hooks.purging, detach)


def _name(activity: Activity) -> str:
    """The subject, or how the text begins."""
    return activity.subject or next(iter(activity.body.strip().splitlines()), "") or activity.get_type_display()


def _entries(count: int) -> str:
    return ngettext("%(n)d timeline entry", "%(n)d timeline entries", count) % {"n": count}


def _written_by_keel(activities: Sequence[Activity], _acting: Actor) -> dict[UUID, str]:
    return {activity.pk: reason for activity in activities if (reason := rules.closed(activity.type))}


def _deleted(activities: Sequence[Activity], _acting: Actor) -> None:
    for activity in activities:
        assert activity.deleted_at is not None
        _touch.removed(activity, activity.deleted_at)


def _restored(activities: Sequence[Activity], _acting: Actor) -> None:
    _touch.touched(activities, timezone.now(), derived=True)


def detach(kind: str, ids: Collection[UUID]) -> None:
    """What is about another record as well stays with that one, when a contact or an account is deleted for good; the
    rest goes with the record, out of the recycle bin too."""
    if kind not in MODELS:
        return
    for key, model in ((KEY, Activity), (TASK, Task)):
        about = model.everything.filter(**{f"{kind}_id__in": ids})
        if kind == "contact":
            about.filter(deal_id__isnull=False).update(contact=None)
        if kind == "account":
            about.filter(Q(deal_id__isnull=False) | Q(contact_id__isnull=False)).update(account=None)
        gone = about.filter(deleted_at__isnull=False)
        BinEntry.objects.filter(record_type=key, record__in=gone.values("pk")).delete()
