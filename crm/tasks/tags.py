"""Merging tags of many records."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.actions.tag_setup import TASK, go_on_merging
from crm.tenancy.tasks import NotActive, OrgTask


@shared_task(base=OrgTask, bind=True, name=TASK, acks_late=True, time_limit=4 * 3600)
def run(self: OrgTask, *, org_id: str, tag_id: str, into_id: str, change_set_id: str, member_id: str | None) -> None:
    """Re-points the rest of a tag's records, a batch to a transaction, and deletes the tag.

    A job that is delivered twice, or again after its worker died, goes on with the records that have the tag still.
    Somebody who is not active any more has begun it all the same: the system ends it.
    """
    more = True
    while more:
        try:
            with self.organization(org_id, member_id) as actor:
                more = go_on_merging(UUID(tag_id), UUID(into_id), UUID(change_set_id), acting=actor)
        except NotActive:
            member_id = None
