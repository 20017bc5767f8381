"""Emptying the recycle bins of what has lain there long enough."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from crm.actions.bin import MOST
from crm.actions.purge import purge_expired
from crm.lib.errors import CrmError
from crm.records import retention_queries
from crm.records.bin import KEEP
from crm.tenancy.context import Actor, org_context

log = logging.getLogger(__name__)


@shared_task(name="crm.bin.purge_expired", acks_late=True, time_limit=3600)
def run() -> None:
    """Deletes for good what has been in a recycle bin for 30 days: organisation by organisation, a batch to a
    transaction. A second run at the same moment takes other batches; one that was broken off goes on where it stood."""
    for org_id in retention_queries.due_bins(timezone.now() - KEEP):
        try:
            log.info("Purged %s records of organisation %s.", _purge(org_id), org_id)
        except CrmError:
            # The others' bins are emptied all the same.
            log.exception("The recycle bin of organisation %s can't be emptied.", org_id)


def _purge(org_id: UUID) -> int:
    purged, count = 0, MOST
    while count == MOST:
        with org_context(Actor.system(org_id)) as system:
            count = purge_expired(acting=system)
        purged += count
    return purged
