"""Dead letters: events that were given up after ten attempts. An admin has them delivered again, or drops them."""

from __future__ import annotations

import logging
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crm import rules
from crm.actions.base import action
from crm.events.outbox import nudge_on_commit
from crm.lib.errors import Forbidden, NotFound
from crm.models import OutboxEvent
from crm.tenancy.context import Actor

log = logging.getLogger(__name__)


@action
def replay_dead_letter(event_id: int, *, acting: Actor) -> None:
    """Delivers an event again, from its first attempt, to the receivers that have not had it.

    It may come after later events of the same record. Raises Forbidden, and NotFound when it is no dead letter (any
    more).
    """
    if not _replay(acting, id=event_id):
        raise _gone()


@action
def replay_dead_letters(*, acting: Actor) -> int:
    """Delivers all dead letters of the organisation again, in their order; says how many. Raises Forbidden."""
    return _replay(acting)


@action
def drop_dead_letter(event_id: int, *, acting: Actor) -> None:
    """Gives an event up for good. Raises Forbidden and NotFound."""
    _require(acting)
    event = OutboxEvent.objects.select_for_update().filter(id=event_id, dead_at__isnull=False).first()
    if event is None:
        raise _gone()
    event.delete()
    log.warning("Event %s (%s) was dropped by member %s: %s", event_id, event.name, acting.member_id, event.error)


def _replay(acting: Actor, **which: Any) -> int:
    _require(acting)
    dead = OutboxEvent.objects.filter(dead_at__isnull=False, **which)
    count = dead.update(dead_at=None, attempts=0, available_at=Now())
    if count:
        nudge_on_commit()
    return count


def _require(acting: Actor) -> None:
    if not rules.may_administer(acting):
        raise Forbidden


def _gone() -> NotFound:
    return NotFound(_("This event is not in the list any more: it was delivered again or dropped."))
