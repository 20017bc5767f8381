"""The one client of Valkey (or Redis), for live events and nudges."""

from functools import cache

import redis
from django.conf import settings


@cache
def client() -> redis.Redis:
    """A pooled client with short timeouts: what it does is never worth making a person wait for."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)
