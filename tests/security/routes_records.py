"""The pages that every record type has, for the built-in types and the one that only tests have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activities.models import Task
from contacts.models import Account, Contact
from crm.actions.bin import delete_record
from crm.models import AuditEntry, Organization
from crm.records.actions import update_record
from crm.records.registry import registry
from deals.models import Deal
from tests.security.matrix import (
    COLLEAGUE,
    EDITOR,
    EDITS,
    INSIDE,
    MEMBER,
    OWNS,
    REP,
    SEES,
    VIEWER,
    WRITES,
    Route,
    World,
    soon,
)
from tests.vessels.models import Vessel

MODELS: dict[str, Any] = {"account": Account, "contact": Contact, "deal": Deal, "task": Task, "vessel": Vessel}
NAMES = {
    "account": "Ravnkloa Shipping",
    "contact": "Brandvik",
    "deal": "Wharf gantry",
    "task": "Grease the winch",
    "vessel": "Aurora",
}
NAME_FIELD = {"account": "name", "contact": "last_name", "deal": "name", "task": "title", "vessel": "name"}
AUTHOR = "Rep Member"  # who made the rep's records
SHAREABLE = ("account", "contact", "deal")
Reading = Callable[[World], Any]


def of(kind: str, *more: Any) -> Reading:
    """Arguments of a route about the rep's record of a type: with the type's key, its id, and perhaps more."""
    return lambda world: [kind, getattr(world, kind).pk, *more]


def seen_by(actors: tuple[str, ...], *texts: str) -> Any:
    """The effect of a page that all may open, and where only these actors read these texts."""
    return lambda world, response, actor: (
        {text for text in texts if text in response.said} == (set(texts) if actor in actors else set())
    )


def now(world: World, kind: str) -> Any:
    """The rep's record of a type as it is now."""
    return world.get(MODELS[kind], getattr(world, kind).pk)


def who(kind: str, actors: tuple[str, ...]) -> tuple[str, ...]:
    """These actors, without those who have a right by a share where records of the type can't be shared."""
    return actors if kind in SHAREABLE else tuple(actor for actor in actors if actor not in (VIEWER, EDITOR))


# ---------------------------------------------------------------- lists


def _readers_may_export(world: World) -> None:
    with world.org.system():
        Organization.objects.filter(id=world.org.id).update(readonly_may_export=True)


def _lists(kind: str) -> list[Route]:
    shows = seen_by(who(kind, SEES), NAMES[kind])
    everybody: dict[str, Any] = {"right": MEMBER, "allowed": INSIDE}
    return [
        Route(name="record_list", method="GET", sets=kind, args=lambda w: [kind], effect=shows, **everybody),
        Route(
            name="record_list",
            method="GET",
            sets=f"{kind}, searched",
            args=lambda w: [kind],
            query=lambda w: {"q": NAMES[kind][:4]},
            effect=shows,
            **everybody,
        ),
        Route(
            name="record_list",
            method="GET",
            sets=f"{kind}, filtered",
            args=lambda w: [kind],
            query=lambda w: {"filter": f"{NAME_FIELD[kind]}:starts_with:{NAMES[kind][:4]}"},
            effect=shows,
            **everybody,
        ),
        Route(
            name="record_filter",
            method="GET",
            sets=kind,
            args=lambda w: [kind],
            query=lambda w: {"filter": f"{NAME_FIELD[kind]}:contains:x"},
            effect=lambda w, response, actor: "n0-0.value" in response.said and NAMES[kind] not in response.said,
            **everybody,
        ),
        Route(
            name="record_options",
            method="GET",
            sets=kind,
            args=lambda w: [kind],
            query=lambda w: {"field": "chosen", "chosen": getattr(w, kind).pk},
            effect=shows,
            **everybody,
        ),
        Route(
            name="record_export",
            method="GET",
            right="record.export",
            sets=kind,
            args=lambda w: [kind],
            allowed=WRITES,
            denied=403,
            effect=shows,
        ),
        Route(
            name="record_export",
            method="GET",
            sets=f"{kind}, where readers may",
            arrange=_readers_may_export,
            args=lambda w: [kind],
            effect=shows,
            **everybody,
        ),
    ]


# ---------------------------------------------------------------- one record

# What the generic form of a type is sent, to make a record and to change the rep's.
NEW: dict[str, Callable[[World], dict[str, Any]]] = {
    "account": lambda world: {"name": "Kestrel Works"},
    "contact": lambda world: {"last_name": "Okafor", "lifecycle": "lead", "lead_status": "new"},
    "deal": lambda world: {"name": "Fleet", "stage": world.stages["Lead"].pk, "currency": "EUR"},
    "task": lambda world: {"title": "Paint the hull", "status": "todo", "priority": "high"},
    "vessel": lambda world: {"name": "Borealis"},
}
MADE = {
    "account": {"name": "Kestrel Works"},
    "contact": {"last_name": "Okafor"},
    "deal": {"name": "Fleet"},
    "task": {"title": "Paint the hull"},
    "vessel": {"name": "Borealis"},
}
KEPT: dict[str, Callable[[World], dict[str, Any]]] = {
    "account": lambda world: {"owner": world.account.owner_id, "domain": "ravnkloa.example"},
    "contact": lambda world: {"owner": world.contact.owner_id, "email": "ysolde@ravnkloa.example"},
    "deal": lambda world: {"owner": world.deal.owner_id, "account": world.account.pk},
    "task": lambda world: {"owner": world.task.owner_id},
    "vessel": lambda world: {"owner": world.vessel.owner_id},
}


def _is_made(kind: str) -> Any:
    return lambda world, response, actor: (
        (made := world.find(MODELS[kind], **MADE[kind])) is not None and made.owner_id == world.members[actor].pk
    )


def _is_changed(kind: str) -> Any:
    (column, value) = next(iter(MADE[kind].items()))
    return lambda world, response, actor: (
        getattr(now(world, kind), column) == value and now(world, kind).version == getattr(world, kind).version + 1
    )


def _renamed(kind: str) -> Callable[[World], None]:
    def arrange(world: World) -> None:
        with world.org.acting(world.members[REP]) as rep:
            update_record(registry.get(kind), getattr(world, kind).pk, MADE[kind], acting=rep)

    return arrange


def _old_name(kind: str) -> Reading:
    """Arguments of the route that puts the rep's name of a record back."""

    def args(world: World) -> list[Any]:
        with world.org.system():
            entries = AuditEntry.objects.filter(row_id=getattr(world, kind).pk, operation="U")
            return [kind, getattr(world, kind).pk, entries.latest("id").pk, next(iter(MADE[kind]))]

    return args


def _deleted(kind: str) -> Callable[[World], None]:
    def arrange(world: World) -> None:
        with world.org.acting(world.members[REP]) as rep:
            delete_record(kind, getattr(world, kind).pk, acting=rep)

    return arrange


def _records(kind: str) -> list[Route]:
    sees, edits = who(kind, SEES), who(kind, EDITS)
    shareable = kind in SHAREABLE
    return [
        Route(
            name="record_new",
            method="GET",
            right="record.create",
            sets=kind,
            args=lambda w: [kind],
            allowed=WRITES,
            denied=403,
        ),
        Route(
            name="record_new",
            method="POST",
            right="record.create",
            sets=kind,
            args=lambda w: [kind],
            body=NEW[kind],
            allowed=WRITES,
            denied=403,
            status=302,
            effect=_is_made(kind),
        ),
        Route(
            name="record_detail",
            method="GET",
            right="record.view",
            sets=kind,
            args=of(kind),
            allowed=sees,
            shareable=shareable,
            effect=seen_by(sees, NAMES[kind]),
        ),
        Route(
            name="record_history",
            method="GET",
            right="record.view",
            sets=kind,
            args=of(kind),
            allowed=sees,
            shareable=shareable,
            effect=seen_by(sees, AUTHOR),
        ),
        Route(
            name="record_value",
            method="POST",
            right="record.edit",
            sets=kind,
            arrange=_renamed(kind),
            args=_old_name(kind),
            allowed=edits,
            shareable=shareable,
            status=302,
            effect=lambda w, response, actor: (
                getattr(now(w, kind), next(iter(MADE[kind]))) == getattr(getattr(w, kind), next(iter(MADE[kind])))
            ),
        ),
        Route(
            name="record_edit",
            method="GET",
            right="record.edit",
            sets=kind,
            args=of(kind),
            allowed=edits,
            shareable=shareable,
            effect=seen_by(edits, NAMES[kind]),
        ),
        Route(
            name="record_edit",
            method="POST",
            right="record.edit",
            sets=kind,
            args=of(kind),
            body=lambda w: {**KEPT[kind](w), **NEW[kind](w), "version": getattr(w, kind).version},
            allowed=edits,
            shareable=shareable,
            status=302,
            effect=_is_changed(kind),
        ),
        Route(
            name="record_delete",
            method="POST",
            right="record.delete",
            sets=kind,
            args=of(kind),
            allowed=OWNS,
            denied_as={EDITOR: 403} if shareable else {},
            shareable=shareable,
            status=302,
            effect=lambda w, response, actor: now(w, kind).deleted_at is not None,
        ),
        Route(
            name="record_restoration",
            method="POST",
            right="record.restore",
            sets=kind,
            arrange=_deleted(kind),
            args=of(kind),
            allowed=OWNS,
            denied_as={EDITOR: 403} if shareable else {},
            shareable=shareable,
            status=302,
            effect=lambda w, response, actor: now(w, kind).deleted_at is None,
        ),
        *_fields(kind, sees, edits),
    ]


def _fields(kind: str, sees: tuple[str, ...], edits: tuple[str, ...]) -> list[Route]:
    """A field of a record, by itself: the one that holds the name."""
    (key, value) = next(iter(MADE[kind].items()))
    about: dict[str, Any] = {"name": "record_field", "args": of(kind, key), "shareable": kind in SHAREABLE}
    change: dict[str, Any] = {
        **about,
        "right": "record.edit",
        "body": lambda w: {key: value, "version": getattr(w, kind).version},
        "allowed": edits,
        "effect": _is_changed(kind),
    }
    return [
        Route(method="GET", right="record.view", sets=kind, allowed=sees, effect=seen_by(sees, NAMES[kind]), **about),
        Route(
            method="GET",
            right="record.edit",
            sets=f"{kind}, form",
            query=lambda w: {"edit": 1},
            allowed=edits,
            effect=seen_by(edits, NAMES[kind]),
            **about,
        ),
        # A load is led on to the record's page; htmx gets the new value.
        Route(method="POST", sets=kind, status=302, **change),
        Route(method="PATCH", sets=kind, headers={"HX-Request": "true"}, **change),
    ]


# ---------------------------------------------------------------- shares


def _shares(world: World, kind: str) -> dict[Any, str]:
    with world.org.system():
        return dict(getattr(world, kind).shares.values_list("member_id", "level"))


def _viewers_share(kind: str) -> Reading:
    def args(world: World) -> list[Any]:
        with world.org.system():
            share = getattr(world, kind).shares.get(member=world.members[VIEWER])
        return [kind, getattr(world, kind).pk, share.pk]

    return args


def _sharing(kind: str) -> list[Route]:
    # Whoever sees the record learns that sharing is not theirs; to others it is not there.
    common: dict[str, Any] = {
        "right": "record.share",
        "sets": kind,
        "allowed": OWNS,
        "denied": 403,
        "denied_as": {COLLEAGUE: 404},
    }
    gone: dict[str, Any] = {
        **common,
        "args": _viewers_share(kind),
        "status": 302,
        "effect": lambda w, response, actor: _shares(w, kind) == {w.members[EDITOR].pk: "write"},
    }
    return [
        Route(name="record_shares", method="GET", args=of(kind), effect=seen_by(OWNS, "Viewer Rep"), **common),
        Route(
            name="record_shares",
            method="POST",
            args=of(kind),
            body=lambda w: {"grantee": f"member:{w.members[COLLEAGUE].pk}", "level": "read", "until": soon()},
            status=302,
            effect=lambda w, response, actor: (
                _shares(w, kind)
                == {w.members[VIEWER].pk: "read", w.members[EDITOR].pk: "write", w.members[COLLEAGUE].pk: "read"}
            ),
            **common,
        ),
        Route(name="record_share", method="POST", **gone),
        Route(name="record_share", method="DELETE", **gone),
    ]


RECORDS = (
    *(route for kind in MODELS for route in (*_lists(kind), *_records(kind))),
    *(route for kind in SHAREABLE for route in _sharing(kind)),
    Route(
        name="live_poll",
        method="GET",
        right=MEMBER,
        allowed=INSIDE,
        query=lambda w: {"topics": f"pipeline:{w.pipeline.pk},deal:{w.deal.pk},me"},
        effect=lambda w, response, actor: response.json()["events"] == [],
    ),
)
