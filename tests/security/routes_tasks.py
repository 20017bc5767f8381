"""Pages of tasks, and the list of activities."""

from __future__ import annotations

from typing import Any

from activities.actions.tasks import complete_task
from activities.models import Activity, Task
from tests.security.matrix import (
    ADMIN,
    INSIDE,
    MANAGER,
    MEMBER,
    OWNS,
    READONLY,
    REP,
    SEES,
    WRITES,
    Route,
    World,
)
from tests.security.routes_records import AUTHOR, NAMES, now, of, seen_by

TITLE = NAMES["task"]
READS = (ADMIN, MANAGER, REP, READONLY)  # a task can't be shared: its owner's, their managers'
KINDS = ("contact", "account", "deal")


def _pk(world: World) -> list[Any]:
    return [world.task.pk]


def _form(world: World) -> dict[str, Any]:
    return {"title": "Call the yard", "priority": "normal", "status": "todo", "owner": world.members[REP].pk}


def _is_made(world: World, response: Any, actor: str) -> bool:
    return world.find(Task, title="Call the yard", owner=world.members[REP]) is not None


def _about(kind: str) -> list[Route]:
    """From the page of a record: whoever sees it may add a task about it, and reads those that are open."""
    about: dict[str, Any] = {
        "name": "task_new", "sets": kind, "right": "task.create", "query": lambda w: {kind: getattr(w, kind).pk},
        "allowed": tuple(actor for actor in SEES if actor != READONLY), "denied_as": {READONLY: 403},
    }  # fmt: skip
    return [
        Route(method="GET", effect=seen_by(SEES, NAMES[kind]), **about),
        Route(method="POST", body=_form, status=302, effect=_is_made, **about),
        Route(
            name="task_panel",
            method="GET",
            right="record.view",
            sets=kind,
            args=of(kind),
            headers={"HX-Request": "true"},
            allowed=SEES,
        ),
    ]


def _completed(world: World) -> None:
    with world.org.acting(world.members[REP]) as rep:
        complete_task(world.task.pk, acting=rep)


def _status(expected: str) -> Any:
    return lambda world, response, actor: now(world, "task").status == expected


_CHANGE: dict[str, Any] = {"args": _pk, "allowed": OWNS, "right": "task.edit", "shareable": False}
_SEE: dict[str, Any] = {"args": _pk, "allowed": READS, "right": "task.view", "shareable": False}

TASKS = (
    Route(name="task_list", method="GET", right=MEMBER, allowed=INSIDE, effect=seen_by(READS, TITLE)),
    Route(name="task_detail", method="GET", effect=seen_by(READS, TITLE), **_SEE),
    Route(name="task_new", method="GET", right="record.create", allowed=WRITES, denied=403),
    Route(
        name="task_new",
        method="POST",
        right="record.create",
        allowed=WRITES,
        denied=403,
        body=_form,
        status=302,
        effect=_is_made,
    ),
    *(route for kind in KINDS for route in _about(kind)),
    Route(name="task_edit", method="GET", effect=seen_by(OWNS, TITLE), **_CHANGE),
    Route(
        name="task_edit",
        method="POST",
        body=lambda w: {**_form(w), "version": w.task.version},
        status=302,
        effect=lambda w, response, actor: now(w, "task").title == "Call the yard",
        **_CHANGE,
    ),
    Route(name="task_completion", method="PUT", status=302, effect=_status("done"), **_CHANGE),
    Route(name="task_completion", method="POST", status=302, effect=_status("done"), **_CHANGE),
    Route(name="task_completion", method="DELETE", arrange=_completed, status=302, effect=_status("todo"), **_CHANGE),
    # An activity is seen with what it is about.
    Route(name="activity_list", method="GET", right=MEMBER, allowed=INSIDE, effect=seen_by(SEES, "beside the quay")),
    Route(
        name="activity_detail",
        method="GET",
        right="record.view",
        args=lambda w: [w.activity.pk],
        allowed=SEES,
        status=302,
        effect=lambda w, response, actor: str(w.contact.pk) in response["Location"],
    ),
    Route(
        name="record_history",
        method="GET",
        right="record.view",
        sets="activity",
        args=lambda w: ["activity", w.activity.pk],
        allowed=SEES,
        effect=seen_by(SEES, AUTHOR),
    ),
    # Its generic pages keep to the rules of its own ones.
    Route(
        name="record_delete",
        method="POST",
        right="activity.log",
        sets="activity",
        args=lambda w: ["activity", w.activity.pk],
        allowed=OWNS,
        shareable=False,
        status=302,
        effect=lambda w, response, actor: w.get(Activity, w.activity.pk).deleted_at is not None,
    ),
)
