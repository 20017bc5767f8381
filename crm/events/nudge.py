"""Waking the relay. A nudge only saves time: the relay sweeps every five seconds anyway."""

from __future__ import annotations

import contextlib
import logging
import time

import redis

from crm.lib.valkey import client

NUDGE_CHANNEL = "keel:outbox"
QUIET = 5.0  # seconds without nudges after one failed: nobody's request waits for a broker that is down
log = logging.getLogger(__name__)
_quiet_until = 0.0


def nudge() -> None:
    """Tells the relay that there is something in the outbox. Never raises: the event is safe in the database."""
    global _quiet_until  # noqa: PLW0603 -- one broker per process
    if time.monotonic() < _quiet_until:
        return
    try:
        client().publish(NUDGE_CHANNEL, b"1")
    except redis.RedisError:
        _quiet_until = time.monotonic() + QUIET
        log.warning("The relay could not be nudged; it will find the event at its next sweep.")


class Nudges:
    """The relay's ear: waits for a nudge, and survives a broker that goes and comes."""

    def __init__(self) -> None:
        self._pubsub: redis.client.PubSub | None = None

    def wait(self, seconds: float) -> None:
        """Returns after a nudge, or after `seconds`. Without a broker only the time counts."""
        started = time.monotonic()
        try:
            if self._pubsub is None:
                self._listen()
                return  # what was committed before the subscription was not heard: sweep at once
            self._hear(seconds)
        except (redis.RedisError, OSError):
            self.close()
            time.sleep(max(0.0, seconds - (time.monotonic() - started)))

    def _listen(self) -> None:
        pubsub = client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._pubsub = pubsub
        pubsub.subscribe(NUDGE_CHANNEL)

    def _hear(self, seconds: float) -> None:
        assert self._pubsub is not None
        if self._pubsub.get_message(timeout=seconds) is not None:
            while self._pubsub.get_message(timeout=0) is not None:
                pass  # many nudges ask for one sweep

    def close(self) -> None:
        """Gives the connection back."""
        if self._pubsub is not None:
            with contextlib.suppress(redis.RedisError, OSError):
                self._pubsub.close()
            self._pubsub = None
