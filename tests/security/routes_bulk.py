"""Bulk actions, their runs, and the change sets that they leave: on the rep's contact."""

from __future__ import annotations

from typing import Any

from contacts.actions.contacts import create_contact
from contacts.values import NewContact
from crm.actions import bulk
from crm.actions.bulk import start_bulk
from crm.models import BulkRun, ChangeSet
from crm.records.lists import ListQuery
from crm.records.selections import Selection
from tests.security.matrix import (
    ADMIN,
    COLLEAGUE,
    EDITOR,
    EDITS,
    INSIDE,
    MANAGER,
    MEMBER,
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
from tests.security.routes_records import NAMES, seen_by

CONTACT = NAMES["contact"]


def _chosen(world: World) -> dict[str, Any]:
    return {"bulk-id": [world.contact.pk, *(contact.pk for contact in world.extra.get("own", ()))]}


def _others(world: World) -> None:
    """A contact of the colleague's, so that they have something to choose, too."""
    with world.org.acting(world.members[COLLEAGUE]) as colleague:
        world.extra["own"] = [create_contact(NewContact(last_name="Own"), acting=colleague)]


def _contact(world: World) -> Any:
    return world.get(type(world.contact), world.contact.pk)


def _retitled(world: World) -> None:
    """A run of the rep's that is done."""
    with world.org.acting(world.members[REP]) as rep:
        selection = Selection((world.contact.pk,))
        world.extra["run"] = start_bulk("contact", "set", {"title": "Chief"}, selection, acting=rep)


def _waiting(world: World) -> None:
    """A run of the rep's that waits for its job."""
    at_once, bulk.AT_ONCE = bulk.AT_ONCE, 0
    try:
        with world.org.acting(world.members[REP]) as rep:
            selection = Selection(query=ListQuery())
            world.extra["run"] = start_bulk("contact", "set", {"title": "Chief"}, selection, acting=rep)
    finally:
        bulk.AT_ONCE = at_once


def _run(world: World) -> BulkRun:
    run: BulkRun = world.extra["run"]
    return run


def _done(actors: tuple[str, ...], check: Any) -> Any:
    """The effect of an action that whoever writes may begin, and that changes the contact for these actors."""
    return lambda world, response, actor: check(_contact(world)) == (actor in actors)


def _begins(what: str, actors: tuple[str, ...], check: Any, **values: Any) -> list[Route]:
    """The form and the beginning of an action on the rep's contact and one of the colleague's."""
    common: dict[str, Any] = {
        "name": "record_bulk", "right": "record.bulk", "args": lambda w: ["contact", what], "sets": what,
        "denied_as": {READONLY: 403}, "arrange": _others,
    }  # fmt: skip
    given = {key: value for key, value in values.items() if not callable(value)}
    made = {key: value for key, value in values.items() if callable(value)}

    def body(world: World) -> dict[str, Any]:
        return {**_chosen(world), **given, **{key: make(world) for key, make in made.items()}}

    # An action on what one may not change begins all the same, and leaves it as it is.
    return [
        Route(method="GET", query=_chosen, allowed=WRITES, **common),
        Route(method="POST", body=body, allowed=WRITES, status=302, effect=_done(actors, check), **common),
    ]


BULK = (
    *_begins("set", EDITS, lambda c: c.title == "Chief", **{"bulk-field": "title", "title": "Chief"}),
    *_begins("delete", OWNS, lambda c: c.deleted_at is not None),
    *_begins("tag", EDITS, lambda c: len(c.tags) == 1, tags="Fair"),
    *_begins("assign", OWNS, lambda c: c.version > 1, owner=lambda w: w.members[COLLEAGUE].pk),
    Route(
        name="record_bulk_count",
        method="GET",
        right=MEMBER,
        args=lambda w: ["contact"],
        allowed=INSIDE,
        effect=lambda w, response, actor: ("Select all 1<" in response.said) == (actor in SEES),
    ),
    Route(
        name="record_bulk_export",
        method="GET",
        right="record.export",
        args=lambda w: ["contact"],
        query=_chosen,
        allowed=tuple(actor for actor in INSIDE if actor != READONLY),
        denied_as={READONLY: 403},
        effect=seen_by(tuple(actor for actor in SEES if actor != READONLY), CONTACT),
    ),
    Route(
        name="bulk_runs",
        method="GET",
        right=PERSONAL,
        arrange=_retitled,
        allowed=INSIDE,
        effect=lambda w, response, actor: (str(_run(w).pk) in response.said) == (actor in (ADMIN, REP)),
    ),
    Route(
        name="bulk_run",
        method="GET",
        right=PERSONAL,
        args=lambda w: [_run(w).pk],
        arrange=_retitled,
        allowed=(ADMIN, REP),
    ),
    Route(
        name="bulk_run_cancellation",
        method="POST",
        right=PERSONAL,
        args=lambda w: [_run(w).pk],
        arrange=_waiting,
        allowed=(ADMIN, REP),
        status=302,
        effect=lambda w, response, actor: w.get(BulkRun, _run(w).pk).is_cancelled,
    ),
    Route(
        name="change_set",
        method="GET",
        right="record.view",
        args=lambda w: [_run(w).change_set_id],
        arrange=_retitled,
        allowed=SEES,
        effect=seen_by(SEES, CONTACT),
    ),
    Route(
        name="change_set_undo",
        method="POST",
        right=PERSONAL,
        args=lambda w: [_run(w).change_set_id],
        arrange=_retitled,
        allowed=(ADMIN, REP),
        denied=403,
        denied_as={MANAGER: 403, VIEWER: 403, EDITOR: 403, COLLEAGUE: 403},
        status=302,
        effect=lambda w, response, actor: (
            _contact(w).title == "" and w.count(ChangeSet, undoes=_run(w).change_set_id) == 1
        ),
    ),
)
