"""What every test may use. The fixtures themselves stand in tests/support/."""

from tests.support.browser import browser, browser_context, console, page
from tests.support.database import cluster, database_cleaner, django_db_setup, valkey, worker_clone
from tests.support.jobs import job_worker, jobs_close_their_connection
from tests.support.servers import running_keel, standing

__all__ = [
    "browser",
    "browser_context",
    "cluster",
    "console",
    "database_cleaner",
    "django_db_setup",
    "job_worker",
    "jobs_close_their_connection",
    "page",
    "running_keel",
    "standing",
    "valkey",
    "worker_clone",
]
