"""Waking the relay. A nudge only saves time: the relay sweeps every five seconds anyway."""

from __future__ import annotations

import logging

import redis

from crm.lib.valkey import client

NUDGE_CHANNEL = "keel:outbox"
log = logging.getLogger(__name__)


def nudge() -> None:
    """Tells the relay that there is something in the outbox. Never raises: the event is safe in the database."""
    try:
        client().publish(NUDGE_CHANNEL, b"1")
    except redis.RedisError:
        log.warning("The relay could not be nudged; it will find the event at its next sweep.")
