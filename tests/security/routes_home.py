"""The home page and the inbox."""

from __future__ import annotations

from typing import Any

from crm.actions.notifications import notify
from crm.models import Notification
from tests.security.matrix import ADMIN, EDITOR, INSIDE, MANAGER, MEMBER, PERSONAL, READONLY, REP, VIEWER, Route, World
from tests.security.routes_records import NAMES, seen_by

CRANE = NAMES["deal"]


def _viewers_own(world: World) -> list[Any]:
    """That the deal was shared with the viewer."""
    return [world.find(Notification, member=world.members[VIEWER], record=world.deal.pk).pk]


def _news_for_all(world: World) -> None:
    with world.org.system():
        for actor in INSIDE:
            notify(world.members[actor].pk, "member.joined", name="Nia New")


def _unread(world: World) -> set[str]:
    """Who has something to read."""
    with world.org.system():
        waiting = set(Notification.objects.filter(read_at=None).values_list("member_id", flat=True))
    return {actor for actor in INSIDE if world.members[actor].pk in waiting}


HOME = (
    # One's own open deals; who looks after others sees theirs.
    Route(
        name="home",
        method="GET",
        right=MEMBER,
        allowed=INSIDE,
        effect=seen_by((ADMIN, MANAGER, REP, READONLY), CRANE),
    ),
    Route(
        name="home",
        method="GET",
        sets="mine",
        query=lambda world: {"scope": "mine"},
        right=MEMBER,
        allowed=INSIDE,
        effect=seen_by((REP,), CRANE),
    ),
    Route(
        name="notifications",
        method="GET",
        right=MEMBER,
        allowed=INSIDE,
        effect=seen_by((VIEWER, EDITOR), CRANE, NAMES["account"], NAMES["contact"]),
    ),
    Route(
        name="notification",
        method="GET",
        right=PERSONAL,
        args=_viewers_own,
        allowed=(VIEWER,),
        status=302,
        writes=("crm_notification", "crm_outboxevent"),
        effect=lambda world, response, actor: (
            response["Location"] == f"/w/{world.org.slug}/deals/{world.deal.pk}/"
            and world.get(Notification, _viewers_own(world)[0]).read_at is not None
        ),
    ),
    Route(
        name="notifications_read",
        method="POST",
        right=MEMBER,
        allowed=INSIDE,
        arrange=_news_for_all,
        status=302,
        effect=lambda world, response, actor: _unread(world) == set(INSIDE) - {actor},
    ),
)
