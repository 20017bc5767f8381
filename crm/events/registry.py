"""Who receives what. Filled by apps in AppConfig.ready()."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as a receiver gets it: its outbox id, name, record (None for a batch) and payload."""

    id: int
    org_id: UUID
    name: str
    record: UUID | None
    payload: dict[str, Any]


Receiver = Callable[[Delivery], None]
_receivers: dict[str, list[Receiver]] = defaultdict(list)


def receives(*names: str) -> Callable[[Receiver], Receiver]:
    """Registers a function for events by name.

    It runs in the relay, inside the organisation, as the system; it may run twice for one event and must not mind.
    Slow work belongs in a task that it enqueues.
    """

    def register(function: Receiver) -> Receiver:
        for name in names:
            if function not in _receivers[name]:
                _receivers[name].append(function)
        return function

    return register


def receivers_of(name: str) -> list[Receiver]:
    """The receivers of an event, in the order of registration."""
    return list(_receivers.get(name, ()))
