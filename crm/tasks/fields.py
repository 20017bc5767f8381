"""What changes of an organisation's own fields need done in all records."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from crm.actions import field_choices, field_purge, field_sorting
from crm.lib.errors import CrmError, Forbidden
from crm.records import retention_queries
from crm.tenancy.context import Actor, org_context
from crm.tenancy.fields import BEFORE_ALL
from crm.tenancy.tasks import NotActive, OrgTask

log = logging.getLogger(__name__)


# What another transaction was in the way of, or a server that went away, is tried again: ten times, for some hours.
AGAIN: dict[str, Any] = {
    "autoretry_for": (OperationalError,), "max_retries": 10, "retry_backoff": 30, "retry_backoff_max": 3600,
}  # fmt: skip


@shared_task(base=OrgTask, bind=True, name=field_sorting.TASK, acks_late=True, time_limit=4 * 3600, **AGAIN)
def fill_sorting(self: OrgTask, *, org_id: str, field_id: str) -> None:
    """Fills the column that lists are sorted by for a field, 1,000 records to a transaction.

    A job that is delivered twice, or again after its worker died, goes on where the column is filled to.
    """
    more = True
    while more:
        with self.organization(org_id) as system:
            more = field_sorting.fill_part(UUID(field_id), acting=system)


@shared_task(base=OrgTask, bind=True, name=field_choices.TASK, acks_late=True, time_limit=4 * 3600, **AGAIN)
def replace_choices(self: OrgTask, *, org_id: str, field_id: str, member_id: str | None) -> None:
    """Gives records other choices of a field instead of ones that are taken away, 1,000 records to a transaction.

    A job that is delivered twice, or again after its worker died, begins anew and finds less to do. Who began it may
    have left meanwhile, or be no admin any more: the system ends it.
    """
    after: UUID | None = BEFORE_ALL
    while after is not None:
        try:
            with self.organization(org_id, member_id) as actor:
                after = field_choices.replace_part(UUID(field_id), after, acting=actor)
        except (NotActive, Forbidden):
            member_id = None


@shared_task(name="crm.fields.purge_expired", acks_late=True, time_limit=4 * 3600)
def purge_expired() -> None:
    """Deletes fields for good that can't be restored any more, with their values: organisation by organisation, 1,000
    records to a transaction. One that was broken off begins anew with the field it was at, and finds less to do."""
    for org_id in retention_queries.due_fields(timezone.now() - field_purge.KEEP):
        try:
            log.info("Purged %s fields of organisation %s.", _purge(org_id), org_id)
        except (CrmError, DatabaseError):
            # The others' fields are purged all the same.
            log.exception("The deleted fields of organisation %s can't be purged.", org_id)


def _purge(org_id: UUID) -> int:
    with org_context(Actor.system(org_id)) as system:
        fields = field_purge.expired_fields(acting=system)
    for field_id in fields:
        after: UUID | None = None
        more = True
        while more:
            with org_context(Actor.system(org_id)) as system:
                after = field_purge.purge_part(field_id, after, acting=system)
            more = after is not None
    return len(fields)
