"""Notifications that wait in somebody's inbox."""

from __future__ import annotations

import datetime as dt

from crm.config.demo.cast import Cast
from crm.config.demo.dice import Dice
from crm.config.demo.sales import Sales
from crm.config.demo.timeline import Shares
from crm.models import Membership, Notification


def make_notices(cast: Cast, sales: Sales, shares: Shares, dice: Dice) -> list[Notification]:
    """Who was given or shared a deal lately hears of it; what is older than two days has been read."""
    boss = next((member for member in cast.members if member.role == "admin"), cast.members[0])
    made = [
        _notice(share.member, "record.shared", share.content_object, share.granted_by, dice)
        for share in shares.deals
        if share.member
    ]
    newest = sorted((deal for deal in sales.deals if not deal.closed_on), key=lambda deal: deal.created_at)[-6:]
    made += [_notice(deal.owner, "deal.assigned", deal, boss, dice) for deal in newest if deal.owner != boss]
    return sorted(made, key=lambda notice: notice.created_at)


def _notice(member: Membership, kind: str, deal: object, by: Membership, dice: Dice) -> Notification:
    at = dice.days_ago(0, 6)
    return Notification(
        id=dice.id(at),
        org=member.org,
        member=member,
        kind=kind,
        record_type="deal",
        record=deal.pk,
        data={"name": str(deal), "by": by.user.name},
        created_at=at,
        read_at=at + dt.timedelta(minutes=dice.number(3, 90)) if at < dice.now - dt.timedelta(days=2) else None,
    )
