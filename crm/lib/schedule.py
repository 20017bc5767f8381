"""What beat does and when. Apps register their periodic jobs in `AppConfig.ready()`."""

from datetime import timedelta
from typing import Any, TypedDict


class Entry(TypedDict):
    """One periodic job as Celery's beat reads it."""

    task: str
    schedule: float | Any
    options: dict[str, Any]


SCHEDULE: dict[str, Entry] = {}


def every(interval: timedelta, task: str, *, queue: str = "default", at: Any = None) -> None:
    """Run the job named `task` every `interval`, or at the times of the crontab `at`, on a queue.

    A run that was not begun before the next one is due is dropped, so a stopped worker finds no heap of old ones.
    Raises ValueError when the job is registered already.
    """
    if task in SCHEDULE:
        raise ValueError(f"{task} is scheduled twice.")
    SCHEDULE[task] = {
        "task": task,
        "schedule": at or interval.total_seconds(),
        "options": {"queue": queue, "expires": interval.total_seconds()},
    }
