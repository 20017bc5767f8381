"""What a page listens to: `pipeline:<id>`, `deal:<id>`, `me`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

MOST = 20
_TOPIC = re.compile(r"([a-z][a-z_]{0,30}):([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_PERSONAL = "member:"


def member_topic(member_id: UUID | str) -> str:
    """The topic that a member's own pages reach as `me`."""
    return f"{_PERSONAL}{member_id}"


def parse_topics(text: str, member_id: UUID | None) -> frozenset[str]:
    """The topics a page asks for, comma separated; `me` becomes the member's own.

    What is malformed or somebody else's personal topic is left out, and so is what goes beyond MOST.
    """
    found: list[str] = []
    for part in text.split(",")[: 4 * MOST]:
        topic = member_topic(member_id) if part == "me" and member_id else part
        if _TOPIC.fullmatch(topic) and (part == "me" or not topic.startswith(_PERSONAL)):
            found.append(topic)
    return frozenset(found[:MOST])


def is_topic(text: str) -> bool:
    """Whether a publisher's topic is well-formed."""
    return bool(_TOPIC.fullmatch(text))


def as_list(topics: str | Iterable[str] | None) -> list[str]:
    """One topic, several or none, as a list without repetitions."""
    if topics is None:
        return []
    return [topics] if isinstance(topics, str) else list(dict.fromkeys(topics))
