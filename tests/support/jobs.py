"""A real Celery worker, in a thread of the test process."""

from collections.abc import Iterator
from unittest import mock

import pytest
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker
from django.db import connection

from crm.launch.up import QUEUES


@pytest.fixture
def job_worker(valkey: object) -> Iterator[Celery]:
    """The project's Celery application with a worker at work on this test worker's own broker.

    Jobs reach it through the outbox: `enqueue_on_commit(...)`, then `deliver_due()` of crm.events.relay. A job that a
    test defines itself must be there before the worker starts. Jobs should close their thread's connection; for those
    of the project `jobs_close_their_connection` does.
    """
    from crm.events.jobs import celery_app  # noqa: PLC0415 -- settings are read by then

    app = celery_app()
    # The worker would close connections that this thread uses, since both are one process.
    with (
        mock.patch("celery.fixups.django.DjangoWorkerFixup.install"),
        mock.patch("celery.fixups.django.DjangoWorkerFixup.validate_models"),
        start_worker(app, perform_ping_check=False, queues=QUEUES.split(","), loglevel="WARNING"),
    ):
        yield app


@pytest.fixture
def jobs_close_their_connection() -> Iterator[None]:
    """The worker's thread keeps no connection when a job is done: the test's database goes after it."""

    def close(**_: object) -> None:
        connection.close()

    signals.task_postrun.connect(close)
    yield
    signals.task_postrun.disconnect(close)
