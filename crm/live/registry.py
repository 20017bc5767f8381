"""Which domain events are told to open pages. Apps call `publish_on` in AppConfig.ready()."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from typing import Any

import redis

from crm.events.registry import Delivery, Receiver, TryLater, receives
from crm.live.audience import Audience
from crm.live.buffer import LiveEvent, publish
from crm.live.topics import as_list, is_topic

Topic = Callable[[Delivery], str | Iterable[str] | None]
PAUSE = 4.0  # seconds without a try after Valkey did not answer; shorter than the rest of a postponed event
_paused_until = 0.0
_numbers = itertools.count(1)


def publish_on(
    *events: str,
    topic: Topic,
    data: Callable[[Delivery], dict[str, Any]],
    audience: Callable[[Delivery], Audience],
) -> Receiver:
    """Registers the publication of domain events, by name; call it once for a name.

    `topic` says where pages listen for it (`pipeline:<id>`; several, or None for nowhere), `data` what the page needs
    to fetch the right piece (ids, never contents), `audience` who may learn of it (`audience_of`). All three run in
    the relay, inside the organisation, as the system.
    """

    def publish_live(delivery: Delivery) -> None:
        topics = as_list(topic(delivery))
        if not topics:
            return
        told, values = audience(delivery), data(delivery)
        for name in topics:
            _publish(delivery, LiveEvent(delivery.name, name, delivery.record, values, told))

    publish_live.receiver_key = f"live{next(_numbers)}"  # type: ignore[attr-defined]
    return receives(*events)(publish_live)


def _publish(delivery: Delivery, event: LiveEvent) -> None:
    global _paused_until  # noqa: PLW0603 -- one Valkey per process
    if not is_topic(event.topic):
        raise ValueError(f"{event.topic!r} is no topic.")
    if time.monotonic() < _paused_until:
        # A whole batch of events must not wait for one connection timeout each, with a transaction open.
        raise TryLater("Valkey did not answer a moment ago.")
    try:
        publish(delivery.org_id, event)
    except redis.RedisError as error:
        _paused_until = time.monotonic() + PAUSE
        raise TryLater(f"Valkey does not take live events: {error}") from error
