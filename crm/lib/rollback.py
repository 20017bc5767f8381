"""Taking back what was done outside of the database, when the database takes back its part."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable

from django.db import transaction

logger = logging.getLogger(__name__)


def on_rollback(undo: Callable[[], object]) -> None:
    """Calls `undo` if what the open transaction writes is not kept: it, or the savepoint one is in now, rolls back.

    `undo` must not use the database. Without a transaction there is nothing to wait for, and it is never called.
    """

    # Django tells of commits only; at a rollback it lets go of its hooks. So the hook's end is what is waited for.
    def kept() -> None:
        waiting.detach()

    waiting = weakref.finalize(kept, _attempt, undo)
    transaction.on_commit(kept, robust=True)


def _attempt(undo: Callable[[], object]) -> None:
    try:
        undo()
    except Exception:
        # Nobody could catch it: the rollback goes on, and so does the error that led to it.
        logger.exception("What was done outside of the database could not be taken back.")
