"""Activities and tasks."""

from activities.models.activity import Activity
from activities.models.task import Task

__all__ = ["Activity", "Task"]
