"""What changes of an organisation's own fields need done in all records."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.actions import field_sorting
from crm.tenancy.tasks import OrgTask


@shared_task(base=OrgTask, bind=True, name=field_sorting.TASK, acks_late=True, time_limit=4 * 3600)
def fill_sorting(self: OrgTask, *, org_id: str, field_id: str) -> None:
    """Fills the column that lists are sorted by for a field, 1,000 records to a transaction.

    A job that is delivered twice, or again after its worker died, goes on where the column is filled to.
    """
    more = True
    while more:
        with self.organization(org_id) as system:
            more = field_sorting.fill_part(UUID(field_id), acting=system)
