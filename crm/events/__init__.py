"""Domain events: what happened, told to whoever registered for it.

An action calls `emit(...)`; the event is a row of the outbox in the same transaction, and the relay
(crm.events.relay) delivers it to receivers, at least once, in order per record.
"""

from crm.events.outbox import Event, emit, emit_batch, enqueue_on_commit
from crm.events.registry import Delivery, Receiver, TryLater, receivers_of, receives

__all__ = [
    "Delivery",
    "Event",
    "Receiver",
    "TryLater",
    "emit",
    "emit_batch",
    "enqueue_on_commit",
    "receivers_of",
    "receives",
]
