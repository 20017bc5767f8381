"""What is to be done about open deals: some of it late, some done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from activities.enums import ActivityType, Priority, TaskStatus
from activities.models import Activity, Task
from contacts.models import Contact
from crm.config.demo.cast import Cast
from crm.config.demo.dice import Dice
from crm.config.demo.sales import Sales
from crm.config.demo.sentences import TASK_TITLES
from deals.models import Deal

PRIORITIES: dict[str, int] = {Priority.LOW: 10, Priority.NORMAL: 60, Priority.HIGH: 24, Priority.URGENT: 6}
WITH_TASKS_PERCENT = 60
DONE_PERCENT, LATE_PERCENT, UNDATED_PERCENT, ALL_DAY_PERCENT = 35, 20, 10, 40
TIMES = (9 * 60, 10 * 60 + 30, 13 * 60, 15 * 60)  # minutes after midnight


@dataclass
class Tasks:
    """Tasks, and what their completion left on timelines, unsaved."""

    tasks: list[Task] = field(default_factory=list)
    notes: list[Activity] = field(default_factory=list)


def make_tasks(cast: Cast, sales: Sales, dice: Dice) -> Tasks:
    """One to three tasks on most open deals."""
    people = {row.deal: row.contact for row in sales.contacts if row.is_primary}
    made = Tasks()
    for deal in sales.deals:
        if deal.closed_on or not dice.chance(WITH_TASKS_PERCENT):
            continue
        for _number in range(dice.number(1, 3)):
            task = _task(deal, people.get(deal), cast, dice)
            made.tasks.append(task)
            if task.completed_at:
                made.notes.append(_note(task, dice))
    return made


def _task(deal: Deal, contact: Contact | None, cast: Cast, dice: Dice) -> Task:
    since = dice.between(deal.created_at, dice.now - dt.timedelta(hours=2))
    title = dice.pick(TASK_TITLES).format(
        who=contact.first_name if contact else "them", project=deal.name.split(",")[0]
    )
    task = Task(
        id=dice.id(since), org=cast.organization, title=title, priority=dice.weighted(PRIORITIES), owner=deal.owner,
        created_by=deal.owner, deal=deal, contact=contact, account=deal.account, created_at=since, updated_at=since,
    )  # fmt: skip
    _schedule(task, since, dice)
    return task


def _schedule(task: Task, since: dt.datetime, dice: Dice) -> None:
    """When it is due, and when it was done, if it was."""
    if dice.chance(DONE_PERCENT):
        done = dice.between(since, dice.now)
        task.status, task.completed_at, task.updated_at = TaskStatus.DONE, done, done
        _due(task, done + dt.timedelta(days=dice.number(-1, 3)), dice)
    elif dice.chance(LATE_PERCENT):
        _due(task, dice.now - dt.timedelta(days=dice.number(1, 9)), dice)
    elif not dice.chance(UNDATED_PERCENT):
        _due(task, dice.now + dt.timedelta(days=dice.number(0, 21)), dice)


def _due(task: Task, day: dt.datetime, dice: Dice) -> None:
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    task.is_timed = not dice.chance(ALL_DAY_PERCENT)
    minutes = dice.pick(TIMES)
    end = dt.timedelta(hours=23, minutes=59, seconds=59)
    task.due_at = midnight + (dt.timedelta(minutes=minutes) if task.is_timed else end)


def _note(task: Task, dice: Dice) -> Activity:
    at = task.completed_at
    assert at is not None
    return Activity(
        id=dice.id(at), org=task.org, type=ActivityType.TASK, subject=task.title, occurred_at=at, owner=task.owner,
        contact=task.contact, account=task.account, deal=task.deal, data={"task": str(task.id)}, created_at=at,
        updated_at=at,
    )  # fmt: skip
