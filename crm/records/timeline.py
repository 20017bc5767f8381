"""The port through which apps below `activities` write timeline entries.

A stage change or a creation stands on the timeline in the same transaction, so whoever made it sees it at once;
`activities` says in its AppConfig.ready() how an entry becomes a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.tenancy.context import Actor
from crm.tenancy.models import create_together


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened: `kind` is "stage_change" or "system" (then `data["event"]` says what, such as "created")."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    contact_id: UUID | None = None
    account_id: UUID | None = None
    deal_id: UUID | None = None


Maker = Callable[[Sequence[Entry], Actor], list[Any]]
BATCH = 1000  # rows that one statement writes
_maker: Maker | None = None


def provide(maker: Maker) -> None:
    """Names the function that turns entries into rows."""
    global _maker  # noqa: PLW0603 -- one maker per process, set once when the apps are ready
    _maker = maker


def rows(entries: Sequence[Entry], *, acting: Actor) -> list[Any]:
    """Timeline entries as unsaved rows: actions that make records write them together with those."""
    if _maker is None:
        raise RuntimeError("No app provides the timeline.")
    return _maker(entries, acting) if entries else []


def write(entries: Sequence[Entry], *, acting: Actor) -> None:
    """Writes timeline entries in the caller's transaction, in one statement. Called by actions only."""
    create_together(rows(entries, acting=acting), batch_size=BATCH)
