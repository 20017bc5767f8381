"""Calls, meetings and notes, and who may see what besides its owner."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from activities.enums import ActivityType, CallOutcome, Direction
from activities.models import Activity
from contacts.models import AccountShare, Contact, ContactShare
from crm.config.demo.cast import Cast
from crm.config.demo.companies import Companies
from crm.config.demo.dice import Dice
from crm.config.demo.sales import Sales
from crm.config.demo.sentences import (
    CALL_BODIES,
    CALL_SUBJECTS,
    FOLLOW_UPS,
    MEETING_BODIES,
    MEETING_SUBJECTS,
    NO_ANSWER,
    NOTE_BODIES,
    NOTE_SUBJECTS,
)
from crm.enums import Role, ShareLevel
from crm.models import Membership, Share
from crm.records.permissions import permission_for
from deals.models import Deal, DealShare

TYPES: dict[str, int] = {ActivityType.CALL: 38, ActivityType.NOTE: 36, ActivityType.MEETING: 26}
OUTCOMES: dict[str, int] = {
    CallOutcome.CONNECTED: 68,
    CallOutcome.NO_ANSWER: 14,
    CallOutcome.VOICEMAIL: 12,
    CallOutcome.BUSY: 5,
    CallOutcome.WRONG_NUMBER: 1,
}
ON_DEAL_PERCENT = 55


@dataclass
class Subject:
    """Whom and what an activity is about."""

    contact: Contact
    deal: Deal | None
    earliest: dt.datetime
    latest: dt.datetime


def make_activities(count: int, cast: Cast, companies: Companies, sales: Sales, dice: Dice) -> list[Activity]:
    """`count` activities in the past; deals and contacts remember the last one."""
    people: dict[Deal, list[Contact]] = {}
    for row in sales.contacts:
        people.setdefault(row.deal, []).append(row.contact)
    # Half of the contacts get most of the attention.
    favourites = dice.some(companies.contacts, len(companies.contacts) // 2)
    made = []
    for _number in range(count):
        if dice.chance(ON_DEAL_PERCENT):
            deal = dice.pick(sales.deals)
            subject = Subject(dice.pick(people[deal]), deal, deal.created_at, sales.quiet_since.get(deal, dice.now))
        else:
            contact = dice.pick(favourites if dice.chance(80) else companies.contacts)
            subject = Subject(contact, None, contact.created_at, dice.now)
        made.append(_activity(subject, cast, dice))
    made.sort(key=lambda activity: activity.occurred_at)
    return made


def _activity(subject: Subject, cast: Cast, dice: Dice) -> Activity:
    contact, deal = subject.contact, subject.deal
    earliest = max(subject.earliest, contact.created_at)
    at = dice.between(earliest, max(earliest, subject.latest - dt.timedelta(minutes=dice.number(5, 600))))
    kind = dice.weighted(TYPES)
    owner: Membership = (deal or contact).owner
    if dice.chance(7):
        owner = dice.weighted(cast.sellers())
    activity = Activity(
        id=dice.id(at), org=cast.organization, type=kind, occurred_at=at, owner=owner, contact=contact, deal=deal,
        account=deal.account if deal else contact.account, created_at=at, updated_at=at,
    )  # fmt: skip
    _fill(activity, subject, dice)
    contact.last_activity_at = max(at, contact.last_activity_at or at)
    if deal:
        deal.touched_at = max(at, deal.touched_at)
        deal.updated_at = max(at, deal.updated_at)
    return activity


def _fill(activity: Activity, subject: Subject, dice: Dice) -> None:
    words = {
        "who": subject.contact.first_name,
        "account": activity.account.name if activity.account else "their company",
        "project": subject.deal.name.split(",")[0].lower() if subject.deal else "the pilot",
        "city": activity.account.city if activity.account else subject.contact.city,
    }
    subjects, bodies = {
        ActivityType.CALL: (CALL_SUBJECTS, CALL_BODIES),
        ActivityType.NOTE: (NOTE_SUBJECTS, NOTE_BODIES),
        ActivityType.MEETING: (MEETING_SUBJECTS, MEETING_BODIES),
    }[ActivityType(activity.type)]
    activity.subject = dice.pick(subjects).format(**words)
    body = dice.pick(bodies)
    if activity.type == ActivityType.CALL:
        activity.outcome = dice.weighted(OUTCOMES)
        activity.direction = Direction.INBOUND if dice.chance(25) else Direction.OUTBOUND
        activity.duration_seconds = dice.number(60, 1900)
        if activity.outcome != CallOutcome.CONNECTED:
            body, activity.duration_seconds = dice.pick(NO_ANSWER), None
            activity.direction = Direction.OUTBOUND
    elif activity.type == ActivityType.MEETING:
        activity.duration_seconds = dice.pick((30, 45, 60, 60, 90, 120)) * 60
    activity.body = " ".join(part for part in (body, dice.pick(FOLLOW_UPS)) if part).format(**words)


@dataclass
class Shares:
    """Records shared with somebody else, unsaved."""

    contacts: list[ContactShare] = field(default_factory=list)
    accounts: list[AccountShare] = field(default_factory=list)
    deals: list[DealShare] = field(default_factory=list)


def make_shares(cast: Cast, companies: Companies, sales: Sales, dice: Dice) -> Shares:
    """Some records are shared with another rep or with a team; one in five share has an end."""
    reps = [member for member in cast.members if member.role == Role.REP]
    if not cast.teams:
        return Shares()
    open_deals = [deal for deal in sales.deals if not deal.closed_on]
    return Shares(
        [_share(ContactShare, row, reps, cast, dice) for row in dice.some(companies.contacts, 24)],
        [_share(AccountShare, row, reps, cast, dice) for row in dice.some(companies.accounts, 8)],
        [_share(DealShare, row, reps, cast, dice) for row in dice.some(open_deals, 14)],
    )


def _share(model: type[Share], record: Any, reps: list[Membership], cast: Cast, dice: Dice) -> Any:
    level = ShareLevel.WRITE if dice.chance(40) else ShareLevel.READ
    member = None if dice.chance(30) else dice.pick([rep for rep in reps if rep != record.owner])
    since = dice.between(record.created_at, dice.now - dt.timedelta(hours=3))
    return model(
        id=dice.id(since),
        org=cast.organization,
        content_object=record,
        member=member,
        user=member.user if member else None,
        team=None if member else dice.pick(cast.teams),
        level=level,
        until=dice.now + dt.timedelta(days=dice.number(10, 60)) if dice.chance(20) else None,
        granted_by=record.owner,
        permission=permission_for(type(record), level),
        created_at=since,
    )
