"""Timelines and what is logged on them."""

from __future__ import annotations

from typing import Any

from activities.actions.log import delete_activity
from activities.models import Activity
from tests.security.matrix import (
    EDITS,
    OWNS,
    PERSONAL,
    READONLY,
    REP,
    SEES,
    VIEWER,
    WRITES,
    Route,
    World,
)
from tests.security.routes_records import NAMES, of, seen_by

KINDS = ("contact", "account", "deal")
# What the rep's records have on their timelines.
SHOWN = {"contact": "Met beside the quay", "account": "Met beside the quay", "deal": "Rep Member"}
NOTE = {"type": "note", "body": "Called about the yard"}


def _pk(world: World) -> list[Any]:
    return [world.activity.pk]


def _activity(world: World) -> Activity:
    found: Activity = world.get(Activity, world.activity.pk)
    return found


def _logged(kind: str) -> Any:
    def effect(world: World, response: Any, actor: str) -> bool:
        made = world.find(Activity, type="note", body=NOTE["body"], owner=world.members[actor])
        return made is not None and getattr(made, f"{kind}_id") == getattr(world, kind).pk

    return effect


def _deleted(world: World) -> None:
    with world.org.acting(world.members[REP]) as rep:
        delete_activity(world.activity.pk, acting=rep)


def _timeline(kind: str) -> list[Route]:
    about: dict[str, Any] = {"name": "timeline", "sets": kind, "args": of(kind)}
    new: dict[str, Any] = {
        "name": "activity_new",
        "sets": kind,
        "right": "activity.log",
        "query": lambda w: {kind: getattr(w, kind).pk, "type": "note"},
        "allowed": EDITS,
        # Whoever sees the record learns that nothing can be added to it.
        "denied_as": {READONLY: 403, VIEWER: 403},
    }
    return [
        Route(
            method="GET",
            right="record.view",
            allowed=SEES,
            headers={"HX-Request": "true", "HX-Target": "timeline"},
            effect=seen_by(SEES, SHOWN[kind]),
            **about,
        ),
        Route(method="GET", right="record.view", allowed=SEES, status=302, **{**about, "sets": f"{kind}, load"}),
        Route(
            method="POST",
            right="activity.log",
            allowed=EDITS,
            denied_as={READONLY: 403, VIEWER: 403},
            body=lambda w: NOTE,
            status=302,
            effect=_logged(kind),
            **about,
        ),
        Route(method="GET", effect=seen_by(EDITS, NAMES[kind]), **new),
        Route(method="POST", body=lambda w: NOTE, status=302, effect=_logged(kind), **new),
    ]


# What was logged is corrected by who logged it, their managers and admins: not by whoever may edit the record.
_MINE: dict[str, Any] = {"right": PERSONAL, "args": _pk, "allowed": OWNS}

ACTIVITIES = (
    *(route for kind in KINDS for route in _timeline(kind)),
    # The dialog that asks for a contact first.
    Route(name="activity_new", method="GET", right="record.create", allowed=WRITES, denied=403),
    Route(
        name="activity_new",
        method="POST",
        right="activity.log",
        query=lambda w: {"type": "note"},
        body=lambda w: {**NOTE, "contact": w.contact.pk},
        allowed=EDITS,
        denied_as={READONLY: 403},
        status=302,
        effect=_logged("contact"),
    ),
    Route(name="activity_edit", method="GET", effect=seen_by(OWNS, "Met beside the quay"), **_MINE),
    Route(
        name="activity_edit",
        method="POST",
        body=lambda w: {**NOTE, "version": w.activity.version},
        status=302,
        effect=lambda w, response, actor: _activity(w).body == NOTE["body"],
        **_MINE,
    ),
    Route(
        name="activity_deletion",
        method="POST",
        status=302,
        effect=lambda w, response, actor: _activity(w).deleted_at is not None,
        **_MINE,
    ),
    Route(
        name="activity_restoration",
        method="POST",
        arrange=_deleted,
        status=302,
        effect=lambda w, response, actor: _activity(w).deleted_at is None,
        **_MINE,
    ),
)
