"""Reads of activities, and all hand-written SQL of activities. Each hand-written one has an equivalence test."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q
from django.utils import timezone

from activities.enums import BY_SYSTEM, ActivityType, Source, TaskStatus
from activities.models import Activity, Task
from contacts.models import Contact
from crm import access
from crm.records.limits import called
from crm.tenancy.backend.base import prepared_cursor
from crm.tenancy.backend.kept import OneOf
from crm.tenancy.context import Actor, array, current_actor
from deals.models import Deal, DealContact

COLUMNS = (
    "id", "type", "subject", "body", "direction", "occurred_at", "duration_seconds", "outcome", "source", "owner_id",
    "contact_id", "account_id", "deal_id", "version", "data",
)  # fmt: skip
LATELY = timedelta(days=30)

# A record's activities from its own index. A contact's page also shows the steps of the deals they have a part in.
_BRANCH_SQL = f"""(
SELECT {", ".join(f"a.{column}" for column in COLUMNS)} FROM activities_activity a
 WHERE a.org_id = app_org() AND a.deleted_at IS NULL AND {{about}}{{cut}}
 ORDER BY a.occurred_at DESC, a.id DESC LIMIT %(limit)s)"""  # noqa: S608 -- columns named above
_STEPS_OF_DEALS = """a.type = ANY (%(steps)s) AND a.contact_id IS DISTINCT FROM %(pk)s AND a.deal_id IN (
    SELECT d.deal_id FROM deals_dealcontact d WHERE d.org_id = app_org() AND d.contact_id = %(pk)s)"""
_ABOUT = {kind: f"a.{kind}_id = %(pk)s" for kind in ("contact", "account", "deal")}

# No index helps a search under row-level security, and none is needed: the record has bounded the rows by then.
_SEARCH_SQL = """ AND (strpos(keel_norm(a.subject || ' ' || a.body), keel_norm(%(text)s)) > 0
    OR a.type = ANY (%(text_types)s) OR a.outcome = ANY (%(text_outcomes)s))"""

_CREATION_SQL = """
SELECT EXISTS (
    SELECT FROM activities_activity a
     WHERE a.org_id = app_org() AND a.deleted_at IS NULL AND {about} AND a.type = 'system'
       AND a.data ->> 'event' = 'created' AND {own})
"""
_OWN = {
    "contact": "a.deal_id IS NULL",
    "account": "a.deal_id IS NULL AND a.contact_id IS NULL",
    "deal": "true",
}

Before = tuple[datetime, str, Any]  # the last entry seen: its moment, "activity" or "change", its id


@dataclass(frozen=True, slots=True)
class Sought:
    """A search: a text, and the types and outcomes whose names contain it."""

    text: str
    types: Sequence[str]
    outcomes: Sequence[str]


def timeline_rows(
    kind: str,
    pk: UUID,
    types: Sequence[str] = (),
    *,
    search: Sought | None = None,
    before: Before | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Activities of a contact, account or deal, the newest first, as dicts by column: those after `before`.

    At one moment activities stand before field changes. `types` keeps those types only; empty means all.
    """
    params: dict[str, Any] = {"pk": pk, "limit": limit, "steps": list(BY_SYSTEM)}
    cut = ""
    if types:
        cut, params["types"] = " AND a.type = ANY (%(types)s)", list(types)
    if before:
        params |= {"at": before[0], "last": before[2]}
        activity = before[1] == "activity"
        cut += " AND (a.occurred_at, a.id) < (%(at)s, %(last)s)" if activity else " AND a.occurred_at < %(at)s"
    if search:
        cut += _SEARCH_SQL
        params |= {"text": search.text, "text_types": list(search.types), "text_outcomes": list(search.outcomes)}
    sql = _BRANCH_SQL.format(about=_ABOUT[kind], cut=cut)
    if kind == "contact" and (not types or set(types) & set(BY_SYSTEM)):
        steps = _BRANCH_SQL.format(about=_STEPS_OF_DEALS, cut=cut)
        sql = f"{sql} UNION ALL {steps} ORDER BY occurred_at DESC, id DESC LIMIT %(limit)s"
    with prepared_cursor() as cursor:
        cursor.execute(sql, params)
        return [_row(values) for values in cursor.fetchall()]


def _row(values: tuple[Any, ...]) -> dict[str, Any]:
    row = dict(zip(COLUMNS, values, strict=True))
    row["data"] = {} if row["data"] == "{}" else orjson.loads(row["data"])
    return row


def texts_of(ids: Collection[UUID]) -> list[dict[str, Any]]:
    """What activities say and what they are about, as far as the reader sees them."""
    columns = ("id", "type", "subject", "body", "contact_id", "account_id", "deal_id")
    return list(Activity.objects.filter(OneOf("id", array(ids))).values(*columns))


def moment_of(kind: str, pk: UUID, activity: UUID, actor: Actor) -> datetime | None:
    """When an activity of a record happened; None for one that is not there for the actor, or on another record."""
    rows = access.visible(Activity, actor).filter(**{"pk": activity, f"{kind}_id": pk})
    return rows.values_list("occurred_at", flat=True).first()


def tells_creation(kind: str, pk: UUID) -> bool:
    """Whether an activity of a record says that it was created.

    It may lie anywhere: an import gives deals and calls their true dates, which are older than the record. Asked on a
    timeline's last page alone.
    """
    with prepared_cursor() as cursor:
        sql = _CREATION_SQL.format(about=_ABOUT[kind], own=_OWN[kind])
        cursor.execute(sql, {"pk": pk})
        return bool(cursor.fetchone()[0])


def people_of_deal(deal_id: UUID) -> list[tuple[str, str]]:
    """The contacts with a part in a deal that the reader sees, as (id, name): the primary one first."""
    rows = DealContact.objects.filter(deal_id=deal_id, contact__deleted_at__isnull=True).select_related("contact")
    actor = current_actor()
    return [
        (str(row.contact_id), called(row.contact, "contact", actor))
        for row in rows.order_by("-is_primary", "contact__sort_name")
    ]


def recent_rows(actor: Actor, *, mine: bool = False, limit: int) -> list[dict[str, Any]]:
    """The latest activities of what an actor sees, newest first, as dicts by column; planned ones are still to come.

    Who sees everything gets everything; others what they and their team did, and what anybody did in the last month
    on contacts and deals of their own: each found by its index, since a plain look at the newest would pass by all
    that is hidden from a rep. With `mine` everybody gets the latter, for themselves alone. What an import wrote is
    left out.
    """
    members = [actor.member_id] if mine else list(actor.members)
    rows = Activity.objects.filter(occurred_at__lte=timezone.now())
    rows = rows.exclude(type=ActivityType.SYSTEM, source=Source.IMPORT)
    if actor.read == "all" and not mine:
        branches = [rows]
    else:
        of_others = rows.filter(occurred_at__gte=timezone.now() - LATELY)
        of_others = of_others.filter(Q(owner__isnull=True) | ~Q(owner_id__in=members))
        own = {"owner_id": actor.member_id, "deleted_at__isnull": True}
        contacts, deals = (model.objects.filter(**own).values("id") for model in (Contact, Deal))
        on_contacts = of_others.filter(contact_id__in=contacts)
        on_deals = of_others.filter(Q(contact__isnull=True) | ~Q(contact_id__in=contacts), deal_id__in=deals)
        branches = [rows.filter(owner_id__in=members), on_contacts, on_deals]
    newest = [b.order_by("-occurred_at", "-id").values(*COLUMNS)[:limit] for b in branches]
    if len(newest) == 1:
        return list(newest[0])
    return list(newest[0].union(*newest[1:], all=True).order_by("-occurred_at", "-id")[:limit])


def open_tasks(kind: str, pk: UUID, paths: Sequence[str], *, limit: int) -> list[dict[str, Any]]:
    """The tasks about a record that are to be done and that the reader sees, the next one first: dicts of `paths`."""
    rows = Task.objects.filter(**{f"{kind}_id": pk}).exclude(status=TaskStatus.DONE)
    return list(rows.order_by("agenda_at", "id").values(*paths)[:limit])
