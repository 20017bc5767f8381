"""How often something may be tried. Counted in PostgreSQL, so that a limit holds in every process, and when Valkey is
down. The counter's row stays locked until the request ends: tries for one address are heard one after the other, and
none slips past the count.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import ngettext

from crm import queries
from crm.lib.clients import client_network
from crm.lib.errors import RateLimited
from crm.models import RateLimit, normalize_email

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many tries in so many seconds, counted for each subject apart."""

    tries: int
    seconds: int


# What is limited, and by which subject. "address" is an e-mail address, "ip" a client (of IPv6 its /64).
LIMITS: Mapping[str, Mapping[str, Limit]] = {
    "login": {"address": Limit(10, 15 * MINUTE), "ip": Limit(60, 15 * MINUTE)},
    "signup": {"address": Limit(5, HOUR), "ip": Limit(20, HOUR)},
    "reset": {"address": Limit(5, HOUR), "ip": Limit(20, HOUR)},
    "verify": {"address": Limit(5, HOUR)},
    "join": {"ip": Limit(40, 15 * MINUTE)},
    "password": {"user": Limit(10, 15 * MINUTE)},
    "change_address": {"user": Limit(5, HOUR)},
    "invite": {"org": Limit(200, DAY)},
    "new_organization": {"user": Limit(10, DAY)},
}


def count(name: str, **subjects: str) -> None:
    """Counts a try. Raises RateLimited once one of the subjects has had too many, with the seconds until it may again.

    Subjects are those of LIMITS[name]; one that is empty (an unknown client) is not counted.
    """
    limits = {_key(name, kind, value): LIMITS[name][kind] for kind, value in subjects.items() if value}
    rows = queries.count_tries([(key, limit.seconds) for key, limit in limits.items()]) if limits else []
    waits = [left for key, tries, left in rows if tries > limits[key].tries]
    if waits:
        raise too_many(max(waits))


def allows(name: str, **subjects: str) -> bool:
    """Counts a try, and says whether it is within the limits, for work that is left out silently."""
    try:
        count(name, **subjects)
    except RateLimited:
        return False
    return True


def forgive(name: str, **subjects: str) -> None:
    """Takes a try back that turned out to be good, so that only failures add up."""
    for kind, value in subjects.items():
        rows = RateLimit.objects.filter(key=_key(name, kind, value))
        rows.update(count=Greatest(F("count") - 1, 0))


def forget(name: str, **subjects: str) -> None:
    """Begins at zero again, such as for an address whose owner has just signed in."""
    RateLimit.objects.filter(key__in=[_key(name, kind, value) for kind, value in subjects.items()]).delete()


def too_many(seconds: float) -> RateLimited:
    """The error that says when to try again."""
    minutes = max(1, math.ceil(seconds / MINUTE))
    text = ngettext(
        "Too many tries. Wait %(n)d minute, then try again.",
        "Too many tries. Wait %(n)d minutes, then try again.",
        minutes,
    )
    return RateLimited(text % {"n": minutes}, retry_after=max(1, math.ceil(seconds)))


def sweep() -> int:
    """Removes counters whose window has ended; says how many."""
    return RateLimit.objects.filter(expires_at__lt=timezone.now()).delete()[0]


def _key(name: str, kind: str, value: str) -> str:
    """Hashed under the server's key, so that the table tells nobody which addresses were tried."""
    value = {"address": normalize_email, "ip": client_network}.get(kind, str)(value)
    return hmac.new(settings.SECRET_KEY.encode(), f"{name}:{kind}:{value}".encode(), hashlib.sha256).hexdigest()
