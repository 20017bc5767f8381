"""Background jobs of contacts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from celery import shared_task
from django.utils.translation import gettext as _

from contacts.actions import imports
from contacts.imports import planning, targets
from contacts.imports.own import target_of
from contacts.models.importing import ImportJob, ImportStatus
from crm.tenancy.context import Actor, org_context
from crm.tenancy.tasks import NotActive, OrgTask


@contextmanager
def _importer(task: OrgTask, org_id: str, member_id: str) -> Iterator[Actor]:
    """The organisation as the member who imports; what is written says that an import did it."""
    with task.organization(org_id, member_id) as member, org_context(replace(member, kind="import")) as actor:
        yield actor


class ImportTask(OrgTask):
    """An import that breaks says so on its page, instead of standing still."""

    abstract = True

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: dict[str, str], einfo: Any) -> None:
        """Called by Celery after the last attempt."""
        with self.organization(kwargs["org_id"]) as system:
            error = _("Something went wrong on our side. What was imported stays; the rows after it were not touched.")
            imports.finish_import(kwargs["job_id"], acting=system, error=error)


@shared_task(base=ImportTask, bind=True, name=imports.TASK, acks_late=True, time_limit=4 * 3600)
def run_import(self: OrgTask, *, org_id: str, job_id: str, member_id: str) -> None:
    """Imports the rows of a file that have not been imported yet, a thousand at a time.

    A job that is delivered twice, or again after its worker died, goes on where the counts stand. Somebody who is
    deactivated meanwhile stops importing with the next thousand.
    """
    try:
        with _importer(self, org_id, member_id) as actor:
            job = imports.get_import(job_id, actor)
            if job.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING):
                return  # delivered again after its end, when the file may be gone
            settings = imports.prepared(job, target_of(job.record_type, actor), actor)
        _run(self, org_id, job, member_id, settings)
    except NotActive:
        with self.organization(org_id) as system:
            error = _("The member who started this import is not active any more.")
            imports.finish_import(job_id, acting=system, error=error)


def _run(task: OrgTask, org_id: str, job: ImportJob, member_id: str, settings: targets.Settings) -> None:
    done = job.processed
    with planning.open_file(job) as file:
        rows = planning.rows_of(job, file)
        for _row in islice(rows, done):
            pass
        while chunk := list(islice(rows, imports.CHUNK)):
            with _importer(task, org_id, member_id) as actor:
                if not imports.import_chunk(job.id, chunk, settings, acting=actor, done_before=done):
                    return
            done += len(chunk)
    with _importer(task, org_id, member_id) as actor:
        imports.finish_import(job.id, acting=actor)
