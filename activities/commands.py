"""What the command palette does about the record that is open: log what happened, add a task; and end a task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _

from activities.enums import ActivityType, TaskStatus
from crm import access, rules
from crm.web.commands import Command
from crm.web.urls import path_to


def log(request: HttpRequest, type_key: str, record: Any) -> Iterator[Command]:
    """A call, a note, a meeting, for who may write on the record's timeline."""
    r: Any = request
    if not access.may_write(record, r.actor):
        return
    for kind, label, icon in (
        (ActivityType.CALL, _("Log a call"), "phone"),
        (ActivityType.NOTE, _("Write a note"), "sticky-note"),
        (ActivityType.MEETING, _("Log a meeting"), "calendar"),
    ):
        query = urlencode({type_key: record.pk, "type": kind.value})
        yield Command(f"log_{kind.value}", label, icon, f"{path_to('activity_new')}?{query}", "dialog")


def add_task(request: HttpRequest, type_key: str, record: Any) -> Iterator[Command]:
    """A task about the record, for who may add any."""
    r: Any = request
    if rules.may_edit_anything(r.actor):
        query = urlencode({type_key: record.pk})
        yield Command("add_task", _("Add task"), "square-check", f"{path_to('task_new')}?{query}", "dialog")


def complete(request: HttpRequest, _type_key: str, task: Any) -> Iterator[Command]:
    """Saying that a task is done, or to be done again."""
    r: Any = request
    if not access.may_write(task, r.actor):
        return
    completion = path_to("task_completion", task.pk)
    if task.status == TaskStatus.DONE:
        yield Command("reopen", _("To be done again"), "undo-2", completion, "delete")
    else:
        yield Command("complete", _("Mark as done"), "check", completion, "put")
