"""Tasks: adding, changing, handing over, completing and reopening them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from activities.actions import _task_values
from activities.enums import ActivityType, Source, TaskStatus
from activities.events import TaskCompleted, TaskCreated, TaskEvent, TaskReopened, TaskUpdated
from activities.models import Activity, Task
from crm import access, rules
from crm.actions.base import action
from crm.actions.notifications import notify
from crm.events import emit
from crm.lib.errors import Conflict, Forbidden
from crm.records import custom
from crm.records.limits import check_writable
from crm.tenancy import context
from crm.tenancy.context import Actor, elevated

KEY = "task"
ABOUT = tuple(f"{name}_id" for name in Task.SEEN_THROUGH)  # columns of what a task is about
BATCH = 1000  # notes written by one statement
NOTES = "the note that somebody else may have made by completing a task"
COLUMNS = (
    *_task_values.PLAIN, "due_at", "is_timed", "status", "completed_at", "owner_id", "contact_id", "account_id",
    "deal_id", "custom",
)  # fmt: skip


@action
def create_task(values: Mapping[str, Any], *, acting: Actor) -> Task:
    """Adds a task. The creator is to do it unless `values` name an owner, who is told.

    Keys of `values` are those of the record type: title, description, status, priority, due_at (a moment, or a day),
    reminder_at, owner, contact, account, deal, tags, custom. What it is about must be the actor's to see; the account
    is the deal's or contact's where one is named. Raises Forbidden, Invalid and NotFound.
    """
    if not rules.may_edit_anything(acting):
        raise Forbidden(_("You can view this organisation's tasks, but not add any."))
    _task_values.check(values, complete=True)
    check_writable(KEY, (key for key, value in values.items() if value not in (None, "", [])), acting)
    task = Task(created_by_id=acting.member_id)
    if acting.member_id is not None:
        task.owner_id = acting.member_id
    _put(task, values, acting)
    # Somebody else may be the owner, one whose tasks the actor does not see.
    with elevated("adding a task for somebody else"):
        Task.objects.bulk_create([task])
    emit(_event(TaskCreated, task))
    if task.status == TaskStatus.DONE:
        _note([task], acting)
    _tell_owner(task, acting.member_id, acting)
    return task


@action
def update_task(task_id: UUID | str, values: Mapping[str, Any], *, acting: Actor, version: int | None = None) -> Task:
    """Changes the fields named in `values` (keys as in `create_task`), status and owner among them.

    Raises NotFound, Forbidden, Invalid, and Conflict when `version` is not the task's any more.
    """
    task = access.get_writable(Task, task_id, acting)
    if version is not None and task.version != version:
        raise Conflict(_("Not saved. Somebody else changed this task in the meantime. Reload to see their changes."))
    _task_values.check(values, complete=False)
    check_writable(KEY, values, acting)
    former = {column: getattr(task, column) for column in COLUMNS}
    own_changed = _put(task, values, acting)
    changed = [column for column in COLUMNS if getattr(task, column) != former[column]]
    if own_changed and "custom" not in changed:
        changed.append("custom")  # an encrypted value, which stands in no column
    if not changed:
        return task
    task.version += 1
    # The new owner's row may be one that the actor does not see.
    with elevated("handing a task over"):
        task.save(update_fields=[*changed, "version", "updated_at"])
    _tell(task, former, changed, acting)
    return task


@action
def complete_task(task_id: UUID | str, *, acting: Actor) -> Task:
    """Marks a task as done, now; what it is about notes it on its timeline. Raises NotFound."""
    return update_task(task_id, {"status": TaskStatus.DONE}, acting=acting)


@action
def reopen_task(task_id: UUID | str, *, acting: Actor) -> Task:
    """Makes a task one to be done again; the note of its completion goes. Raises NotFound."""
    task = access.get_writable(Task, task_id, acting)
    if task.status != TaskStatus.DONE:
        return task
    return update_task(task_id, {"status": TaskStatus.TODO}, acting=acting)


@action
def reassign_tasks(old_owner: UUID, new_owner: UUID, *, acting: Actor) -> int:
    """Gives every task of a member to another one, the recycle bin's too; says how many. The caller has checked the
    rule."""
    changes = {"owner_id": new_owner, "version": F("version") + 1, "updated_at": timezone.now()}
    with elevated("all tasks of a member who leaves"):
        return Task.everything.filter(owner_id=old_owner).update(**changes)


def _put(task: Task, values: Mapping[str, Any], acting: Actor) -> bool:
    """Sets what `values` name; whether that changed own fields. Raises Invalid, Forbidden and NotFound."""
    _task_values.put_plain(task, values, acting)
    _task_values.put_owner(task, values, acting)
    _task_values.put_about(task, values, acting)
    if "status" in values:
        task.status = values["status"] or TaskStatus.TODO
        task.completed_at = (task.completed_at or timezone.now()) if task.status == TaskStatus.DONE else None
    if not task._state.adding and "custom" not in values:
        return False
    present = None if task._state.adding else task.custom
    merged = custom.merge(KEY, values.get("custom") or {}, acting=acting, present=present)
    custom.settle(task.pk, merged)
    task.custom = merged.values
    return bool(merged.changed)


def _tell(task: Task, former: Mapping[str, Any], changed: list[str], acting: Actor) -> None:
    """Events, timeline and notification of a change."""
    if "status" in changed and TaskStatus.DONE in (task.status, former["status"]):
        emit(_event(TaskCompleted if task.status == TaskStatus.DONE else TaskReopened, task))
    keep_notes([(task, former)], acting)
    others = tuple(column for column in changed if column not in ("status", "completed_at"))
    if others:
        emit(_event(TaskUpdated, task, previous_owner=former["owner_id"], fields=others))
    _tell_owner(task, former["owner_id"], acting)


def _tell_owner(task: Task, former: UUID | None, acting: Actor) -> None:
    if context.current_change_set_id() is not None:
        return  # many at once: the run says it in one notification
    if task.owner_id not in (former, acting.member_id):
        notify(task.owner_id, "task.assigned", record_type=KEY, record=task.pk, name=task.title, by=acting.name)


def keep_notes(changed: Sequence[tuple[Task, Mapping[str, Any]]], acting: Actor) -> None:
    """Has the timeline of what tasks are about say that they are done: writes that of tasks done now, takes it back of
    others, and moves it where a task is about something else. Each task comes with its former columns."""
    there = [(task, former) for task, former in changed if former["status"] == TaskStatus.DONE]
    _forget([(task, former) for task, former in there if task.status != TaskStatus.DONE])
    for task, former in there:
        about = {column: getattr(task, column) for column in ABOUT}
        if task.status == TaskStatus.DONE and any(former[column] != pk for column, pk in about.items()):
            _move_note(task, former, about, acting)
    since = [task for task, former in changed if former["status"] != TaskStatus.DONE == task.status]
    _note(since, acting)


def _note(tasks: Sequence[Task], acting: Actor) -> None:
    """Writes on the timelines of what tasks are about that they were done."""
    Activity.objects.bulk_create(
        [_entry(task, acting) for task in tasks if any(getattr(task, column) for column in ABOUT)], batch_size=BATCH
    )


def _entry(task: Task, acting: Actor) -> Activity:
    return Activity(
        type=ActivityType.TASK, subject=task.title, owner_id=acting.member_id,
        occurred_at=task.completed_at or timezone.now(),
        contact_id=task.contact_id, account_id=task.account_id, deal_id=task.deal_id, data={"task": str(task.pk)},
        source=Source.MANUAL if acting.kind == "member" else Source.SYSTEM,
    )  # fmt: skip


def _forget(done: Sequence[tuple[Task, Mapping[str, Any]]]) -> None:
    """Takes the notes of completions back."""
    if done:
        with elevated(NOTES):
            _notes_of(done).delete()


def _move_note(task: Task, former: Mapping[str, Any], about: dict[str, UUID | None], acting: Actor) -> None:
    with elevated(NOTES):
        if not any(about.values()):
            _notes_of([(task, former)]).delete()
        elif not _notes_of([(task, former)]).update(**about):
            _note([task], acting)


def _notes_of(done: Sequence[tuple[Task, Mapping[str, Any]]]) -> QuerySet[Activity]:
    """The notes of completions; what a task was about when it was done leads to its own."""
    found = Q(pk__in=[])
    for column in ABOUT:
        tasks = {str(task.pk): former[column] for task, former in done if _led_by(former) == column}
        if tasks:
            found |= Q(**{f"{column}__in": set(tasks.values())}, data__task__in=list(tasks))
    return Activity.everything.filter(found, type=ActivityType.TASK)


def _led_by(former: Mapping[str, Any]) -> str:
    return next((column for column in ABOUT if former[column]), "")


def _event(kind: type[TaskEvent], task: Task, **more: Any) -> TaskEvent:
    return kind(
        record=task.pk, owner=task.owner_id, contact=task.contact_id, account=task.account_id, deal=task.deal_id, **more
    )
