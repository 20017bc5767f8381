"""When a contact was last in touch, and since when a deal's clock of rotting runs: both follow from activities."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, DateTimeField, F, Max, Q, Value, When
from django.db.models.functions import Greatest

from activities import rules
from activities.models import Activity
from contacts.models import Contact
from crm.tenancy.context import elevated
from deals.enums import StageKind
from deals.models import Deal, StageChange

BATCH = 500  # records told by one statement
WHY = "last activity of the records an activity is about"


def touched(activities: Sequence[Activity], now: datetime, *, derived: bool = False) -> None:
    """Moves the clocks of contacts and deals forward to completed activities; planned ones move nothing.

    The rows' versions stay: nobody's form is out of date by it. With `derived` some of the records may be ones that
    the actor only sees.
    """
    done = [a for a in activities if rules.is_completed(a.type, a.occurred_at, now)]
    with elevated(WHY) if derived else nullcontext():
        _forward(Contact, "last_activity_at", _latest(done, "contact_id"))
        _forward(Deal, "touched_at", _latest(done, "deal_id"))


def _latest(activities: Sequence[Activity], column: str) -> dict[UUID, datetime]:
    latest: dict[UUID, datetime] = {}
    for activity in activities:
        pk = getattr(activity, column)
        if pk:
            latest[pk] = max(activity.occurred_at, latest.get(pk, activity.occurred_at))
    return latest


def _forward(model: type[Any], column: str, latest: dict[UUID, datetime]) -> None:
    ids = list(latest)
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        at = _value_of(part, latest)
        behind = Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__lt": at})
        model._default_manager.filter(behind, pk__in=part).update(**{column: Greatest(F(column), at)})


def _value_of(ids: Sequence[UUID], latest: dict[UUID, datetime]) -> Any:
    if len(ids) == 1:
        return Value(latest[ids[0]], DateTimeField())
    return Case(*(When(pk=pk, then=Value(latest[pk])) for pk in ids), output_field=DateTimeField())


def removed(activity: Activity, now: datetime) -> None:
    """Puts the clocks back after an activity is gone, where it was the last one."""
    if rules.is_completed(activity.type, activity.occurred_at, now):
        _recount(activity, activity.occurred_at, now)


def moved(activity: Activity, former: datetime, now: datetime) -> None:
    """Sets the clocks after an activity was dated otherwise."""
    if rules.is_completed(activity.type, former, now):
        _recount(activity, former, now)
    touched([activity], now, derived=True)


def _recount(activity: Activity, former: datetime, now: datetime) -> None:
    # What remains may be the work of others, on records that the actor does not see any more.
    with elevated(WHY):
        if activity.contact_id:
            last = _last({"contact_id": activity.contact_id}, now)
            Contact.everything.filter(pk=activity.contact_id, last_activity_at=former).update(last_activity_at=last)
        if activity.deal_id:
            times = [at for at in (_last({"deal_id": activity.deal_id}, now), _last_step(activity.deal_id)) if at]
            if times:
                Deal.everything.filter(pk=activity.deal_id, touched_at=former).update(touched_at=max(times))


def _last(about: dict[str, UUID], now: datetime) -> datetime | None:
    rows = Activity.objects.filter(type__in=rules.TOUCHING, occurred_at__lte=now, **about)
    found: datetime | None = rows.aggregate(last=Max("occurred_at"))["last"]
    return found


def _last_step(deal_id: UUID) -> datetime | None:
    """When the deal last came forward: was added, won, or moved to a later stage or another pipeline."""
    forward = (
        Q(from_stage__isnull=True)
        | Q(to_stage__kind=StageKind.WON)
        | Q(to_stage__position__gt=F("from_stage__position"))
        | ~Q(to_stage__pipeline_id=F("from_stage__pipeline_id"))
    )
    rows = StageChange.objects.filter(forward, deal_id=deal_id).exclude(to_stage__kind=StageKind.LOST)
    found: datetime | None = rows.aggregate(last=Max("at"))["last"]
    return found
