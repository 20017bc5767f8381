"""What follows when old values go back into many tasks or activities at once (crm.records.bulk)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from activities.actions import _touch
from activities.actions.tasks import keep_notes
from activities.enums import TaskStatus
from activities.events import ActivityUpdated, TaskCompleted, TaskReopened, TaskUpdated
from crm.events import emit_batch
from crm.records.bulk import Edit, columns_changed
from crm.tenancy.context import Actor

DONE_BY = {"status", "completed_at"}  # columns that say whether a task is done


def tell_tasks(edits: Sequence[Edit], acting: Actor) -> None:
    """Emits what TaskUpdated, TaskCompleted and TaskReopened say of one task, of up to 1,000 at a time; keeps the notes
    of what was done."""
    keep_notes([(edit.record, edit.before) for edit in edits], acting)
    turned = [edit for edit in edits if TaskStatus.DONE in (edit.record.status, edit.before["status"])]
    turned = [edit for edit in turned if edit.moved("status")]
    for name, done in ((TaskCompleted.name, True), (TaskReopened.name, False)):
        emit_batch(name, [e.record.pk for e in turned if (e.record.status == TaskStatus.DONE) == done])
    others = [edit for edit in edits if set(edit.changed) - DONE_BY]
    fields = [name for name in columns_changed(others) if name not in DONE_BY]
    emit_batch(TaskUpdated.name, [edit.record.pk for edit in others], fields=fields)


def tell_activities(edits: Sequence[Edit], _acting: Actor) -> None:
    """Emits what ActivityUpdated says of one activity, of up to 1,000 at a time; sets the clocks of their records."""
    now = timezone.now()
    for edit in edits:
        if edit.moved("occurred_at"):
            _touch.moved(edit.record, edit.before["occurred_at"], now)
    emit_batch(ActivityUpdated.name, [edit.record.pk for edit in edits], fields=columns_changed(edits))
