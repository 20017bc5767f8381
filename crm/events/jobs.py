"""Hands background jobs to Celery, from the relay."""

from __future__ import annotations

import time
from functools import cache
from importlib import import_module

from celery import Celery, current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from crm.events.outbox import TASK
from crm.events.registry import Delivery, TryLater, receives

PAUSE = 4.0  # seconds without a try after the broker did not answer; shorter than the rest of a postponed event
_paused_until = 0.0


@cache
def celery_app() -> Celery:
    """The project's Celery application. The kernel doesn't import the package of its settings; a setting names it."""
    import_module(settings.CELERY_MODULE)
    return current_app._get_current_object()


@receives(TASK)
def send_job(delivery: Delivery) -> None:
    """Sends the job that an event asks for. A broker that is down is no fault of the job: it is tried again later."""
    global _paused_until  # noqa: PLW0603 -- one broker per process
    if time.monotonic() < _paused_until:
        # A whole batch of jobs must not wait for one connection timeout each, with a transaction open.
        raise TryLater("The broker did not answer a moment ago.")
    try:
        celery_app().send_task(delivery.payload["task"], kwargs=delivery.payload["kwargs"], retry=False)
    except OperationalError as error:
        _paused_until = time.monotonic() + PAUSE
        raise TryLater(f"The broker does not take jobs: {error}") from error
