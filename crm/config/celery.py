"""Background jobs: `celery --app crm.config.celery worker` and `beat`."""

import os
import warnings
from typing import Any

from billiard import current_process
from celery import Celery, signals
from celery.platforms import SecurityWarning

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.config.settings.prod")

if "KEEL_SUPERVISED" in os.environ:
    # `make up` may be run by root; messages are JSON, so a worker executes nothing that it receives.
    warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("keel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def _schedule(sender: Celery, **_: Any) -> None:
    from crm.lib.schedule import SCHEDULE  # noqa: PLC0415 -- apps have filled it by now

    sender.conf.beat_schedule = SCHEDULE


@signals.setup_logging.connect
def _keep_logging(**_: Any) -> None:
    """Celery would replace the logging that Django's settings have set up."""


@signals.worker_process_init.connect
def _bind(**_: Any) -> None:
    from crm.lib.lifeline import bind_to_parent  # noqa: PLC0415 -- in the pool's processes only

    bind_to_parent(getattr(current_process(), "_parent_pid", None))


@signals.task_prerun.connect
def _enter_task(task_id: str, task: Any, **_: Any) -> None:
    from crm.web.logging import request_id  # noqa: PLC0415 -- settings are read by now

    request_id.set(getattr(task.request, "request_id", None) or task_id)


@signals.task_postrun.connect
def _leave_task(task: Any, state: str | None = None, **_: Any) -> None:
    from crm.web.logging import request_id  # noqa: PLC0415 -- settings are read by now
    from crm.web.metrics import TASKS  # noqa: PLC0415 -- settings are read by now

    request_id.set("")
    TASKS.labels(task.name, (state or "unknown").lower()).inc()


@signals.worker_init.connect
@signals.beat_init.connect
def _check_tenancy(**_: Any) -> None:
    from crm.tenancy.selfcheck import TenancyUnsafe, require  # noqa: PLC0415 -- settings are read by now

    try:
        require()
    except TenancyUnsafe as error:
        # An exception of a signal's receiver is only logged; this one must end the process.
        raise SystemExit(str(error)) from error


@signals.worker_init.connect
@signals.beat_init.connect
def _serve_metrics(**_: Any) -> None:
    from crm.web.metrics import serve_metrics  # noqa: PLC0415 -- settings are read by now

    serve_metrics()
