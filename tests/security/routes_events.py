"""Events that failed."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from crm.models import OutboxEvent
from tests.security.matrix import ADMINISTERS, Route, World


def _dead_letter(world: World) -> None:
    with world.org.system():
        world.extra["letter"] = OutboxEvent.objects.create(
            org_id=world.org.id, name="test.failed", payload={}, attempts=10, error="ValueError: no", dead_at=Now()
        )


def _is_alive(world: World, response: Any, actor: str) -> bool:
    letter = world.get(OutboxEvent, world.extra["letter"].pk)
    return (letter.dead_at, letter.attempts) == (None, 0) and letter.available_at <= timezone.now()


def _admin(name: str, method: str, **kwargs: Any) -> Route:
    status = 200 if method == "GET" else 302
    return Route(
        name=name, method=method, right="events.repair", allowed=ADMINISTERS, denied=403, status=status,
        arrange=_dead_letter, **kwargs,
    )  # fmt: skip


def _letter(world: World) -> list[Any]:
    return [world.extra["letter"].pk]


EVENTS = (
    _admin("dead_letters", "GET"),
    _admin("dead_letters_delivery", "POST", effect=_is_alive),
    _admin("dead_letter_delivery", "POST", args=_letter, effect=_is_alive),
    _admin(
        "dead_letter",
        "DELETE",
        args=_letter,
        effect=lambda world, response, actor: world.get(OutboxEvent, world.extra["letter"].pk) is None,
    ),
)
