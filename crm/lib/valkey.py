"""The one client of Valkey (or Redis), for live events and nudges."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client() -> redis.Redis:
    """A pooled client with short timeouts: what it does is never worth making a person wait for."""
    # One retry at once, for a pooled connection that the server has closed; the library's default waits for seconds.
    retry = Retry(NoBackoff(), 1)
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1, retry=retry)
