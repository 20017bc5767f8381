"""Writing events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.db import connection, transaction

from crm.events.event_queries import insert_events
from crm.tenancy import context

BATCH = 1000  # rows one batch event may name
TASK = "task"  # the name of the event that asks for a background job


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one record. Subclasses are frozen dataclasses of ids and plain values.

    `name` is what receivers register for, such as "deal.stage_changed".
    """

    name: ClassVar[str] = ""
    record: UUID


def record_event(key: str, what: str, record: UUID) -> Event:
    """The event "<type>.<what>" about a record of a type that has no event classes of its own."""
    kind = type(f"{key}_{what}", (Event,), {"name": f"{key}.{what}", "__slots__": ()})
    return kind(record=record)


def _text(values: dict[str, Any]) -> str:
    return orjson.dumps(values).decode()


def _by(actor: context.Actor) -> dict[str, Any]:
    return {"member": actor.member_id, "kind": actor.kind, "change_set": context.current_change_set_id()}


def emit(*events: Event) -> None:
    """Writes events to the outbox, in one statement, in the caller's transaction. Called by actions only."""
    actor = context.current_actor()
    by = _by(actor)
    insert_events([(actor.org_id, event.name, event.record, _text(_payload(event, by))) for event in events])
    nudge_on_commit()


def _payload(event: Event, by: dict[str, Any]) -> dict[str, Any]:
    values = {field.name: getattr(event, field.name) for field in fields(event) if field.name != "record"}
    return {**values, "by": by}


def emit_batch(name: str, records: Sequence[UUID], **common: Any) -> None:
    """Writes batch events, each naming at most 1,000 records: what set-based actions emit.

    The payload is `{"records": [...], **common}`; receivers of `name` get it as one call.
    """
    if not records:
        return
    actor = context.current_actor()
    rest = {**common, "by": _by(actor)}
    batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    insert_events([(actor.org_id, name, None, _text({"records": list(batch), **rest})) for batch in batches])
    nudge_on_commit()


def enqueue_on_commit(task: str, **ids: Any) -> None:
    """Asks for a background job by its registered name, once the transaction commits. Arguments are ids only.

    The request is a row of the outbox, so that it survives a broker that is down.
    """
    actor = context.current_actor()
    payload = _text({"task": task, "kwargs": {**ids, "org_id": actor.org_id}})
    insert_events([(actor.org_id, TASK, None, payload)])
    nudge_on_commit()


def nudge_on_commit() -> None:
    """One nudge for a transaction, however many events it writes."""
    from crm.events.nudge import nudge  # noqa: PLC0415 -- opens a connection to the broker

    if not any(waiting[1] is nudge for waiting in connection.run_on_commit):
        transaction.on_commit(nudge, robust=True)
