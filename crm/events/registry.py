"""Who receives what. Filled by apps in AppConfig.ready()."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as a receiver gets it: its outbox id, name, record (None for a batch) and payload.

    A single event's payload holds its fields and `by` (member, kind, change_set); a batch event's also `records`.
    """

    id: int
    org_id: UUID
    name: str
    record: UUID | None
    payload: dict[str, Any]


class TryLater(Exception):  # noqa: N818 -- it is no fault: the word says what to do
    """Raised by a receiver that can't work now through no fault of the event, such as a broker that is down.

    The event is delivered again in a few seconds, and the attempt is not counted.
    """


Receiver = Callable[[Delivery], None]
_receivers: dict[str, list[Receiver]] = defaultdict(list)


def receives(*names: str) -> Callable[[Receiver], Receiver]:
    """Registers a function for events by name.

    It runs in the relay, inside the organisation, as the system, in a savepoint of its own. It may run twice for one
    event and must not mind; an error is recorded and the event delivered again later, to the receivers that failed.
    Slow work belongs in a task that it enqueues.
    """

    def register(function: Receiver) -> Receiver:
        for name in names:
            if function not in _receivers[name]:
                _receivers[name].append(function)
        return function

    return register


def forget(function: Receiver) -> None:
    """Takes a receiver out again; for tests."""
    for functions in _receivers.values():
        if function in functions:
            functions.remove(function)


def receivers_of(name: str) -> list[Receiver]:
    """The receivers of an event, in the order of registration."""
    return list(_receivers.get(name, ()))


def key_of(function: Receiver) -> str:
    """What a receiver is called in the outbox while another receiver of the same event has failed."""
    return getattr(function, "receiver_key", "") or f"{function.__module__}.{function.__qualname__}"
