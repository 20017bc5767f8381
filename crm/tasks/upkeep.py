"""Clearing what has expired."""

import logging

from celery import shared_task

from crm.actions.upkeep import clear_expired

log = logging.getLogger(__name__)


@shared_task(name="crm.upkeep.clear_expired")
def run() -> None:
    """Removes sessions and counters of tries that have ended. Runs by the hour; a second run finds nothing."""
    sessions, counters = clear_expired()
    log.info("Cleared %s sessions and %s counters.", sessions, counters)
