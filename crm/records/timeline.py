"""The port through which apps below `activities` write timeline entries.

A stage change or a creation stands on the timeline in the same transaction, so whoever made it sees it at once;
`activities` provides the writer in its AppConfig.ready().
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.tenancy.context import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened: `kind` is "stage_change" or "system" (then `data["event"]` says what, such as "created")."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    contact_id: UUID | None = None
    account_id: UUID | None = None
    deal_id: UUID | None = None


Writer = Callable[[Sequence[Entry], Actor], None]
_writer: Writer | None = None


def provide(writer: Writer) -> None:
    """Names the function that writes entries."""
    global _writer  # noqa: PLW0603 -- one writer per process, set once when the apps are ready
    _writer = writer


def write(entries: Sequence[Entry], *, acting: Actor) -> None:
    """Writes timeline entries in the caller's transaction, in one statement. Called by actions only."""
    if _writer is None:
        raise RuntimeError("No app provides the timeline.")
    if entries:
        _writer(entries, acting)
