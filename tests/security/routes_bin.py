"""The recycle bin, with the rep's contact in it."""

from __future__ import annotations

from typing import Any

from crm.actions.bin import delete_record
from crm.models import BinEntry, DeletionReceipt
from tests.security.matrix import (
    ADMINISTERS,
    COLLEAGUE,
    EDITOR,
    INSIDE,
    MEMBER,
    OWNS,
    READONLY,
    REP,
    SEES,
    VIEWER,
    Route,
    World,
)
from tests.security.routes_records import NAMES, seen_by

CONTACT = NAMES["contact"]


def _deleted(world: World) -> None:
    with world.org.acting(world.members[REP]) as rep:
        delete_record("contact", world.contact.pk, acting=rep)
    world.extra["entry"] = world.find(BinEntry, record=world.contact.pk)


def _entry(world: World) -> dict[str, Any]:
    return {"id": world.extra["entry"].pk}


def _contact(world: World) -> Any:
    return world.get(type(world.contact), world.contact.pk)


_PURGE: dict[str, Any] = {
    "name": "recycle_bin_purge", "right": "record.purge", "arrange": _deleted, "allowed": ADMINISTERS, "denied": 403,
}  # fmt: skip

BIN = (
    Route(
        name="recycle_bin",
        method="GET",
        right=MEMBER,
        arrange=_deleted,
        allowed=INSIDE,
        effect=seen_by(SEES, CONTACT),
    ),
    Route(
        name="recycle_bin_restoration",
        method="POST",
        right="record.restore",
        arrange=_deleted,
        body=_entry,
        allowed=OWNS,
        denied_as={READONLY: 403, VIEWER: 403, EDITOR: 403, COLLEAGUE: 404},
        status=302,
        effect=lambda w, response, actor: _contact(w).deleted_at is None,
    ),
    Route(method="GET", query=_entry, effect=seen_by(ADMINISTERS, CONTACT), **_PURGE),
    Route(
        method="POST",
        body=lambda w: {**_entry(w), "confirmed": "1"},
        status=302,
        effect=lambda w, response, actor: _contact(w) is None and w.count(DeletionReceipt, record=w.contact.pk) == 1,
        **_PURGE,
    ),
    Route(
        name="recycle_bin_receipts",
        method="GET",
        right="record.purge",
        allowed=ADMINISTERS,
        denied=403,
    ),
)
