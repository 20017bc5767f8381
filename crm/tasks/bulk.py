"""Bulk runs of more records than a request can wait for."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils.translation import gettext as _

from crm.actions import bulk
from crm.tenancy.tasks import NotActive, OrgTask


class BulkTask(OrgTask):
    """A run that breaks says so on its page, instead of standing still."""

    abstract = True

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: dict[str, str], einfo: Any) -> None:
        """Called by Celery after the last attempt."""
        with self.organization(kwargs["org_id"]) as system:
            error = _("Something went wrong on our side. What was changed can be undone; the rest was not touched.")
            bulk.finish_run(kwargs["run_id"], acting=system, error=error)


@shared_task(base=BulkTask, bind=True, name=bulk.TASK, acks_late=True, time_limit=4 * 3600)
def run(self: OrgTask, *, org_id: str, run_id: str, member_id: str) -> None:
    """Does what is left of a run, 1,000 records to a transaction, and says when it is done.

    Somebody who is deactivated meanwhile changes no further part.
    """
    try:
        more = True
        while more:
            with self.organization(org_id, member_id) as actor:
                more = bulk.run_part(run_id, acting=actor)
        with self.organization(org_id, member_id) as actor:
            bulk.finish_run(run_id, acting=actor)
    except NotActive:
        with self.organization(org_id) as system:
            error = _("The member who started this is not active any more.")
            bulk.finish_run(run_id, acting=system, error=error)
