"""Is the process up, and could it do its work? Asked by load balancers, containers and `make up`."""

import time
from collections.abc import Callable

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.lib.valkey import client

# Reading every migration file costs a tenth of a second; a database that was current stays current for a while.
MIGRATIONS_FRESH = 60.0  # seconds
_migrations_seen_current = float("-inf")


class HealthMiddleware:
    """Answers `/healthz` and `/readyz` before anything that they are there to judge.

    They need no session, no organisation and no allowed host name: a probe comes by address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.views = {"/healthz": healthz, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = self.views.get(request.path_info)
        return view(request) if view else self.get_response(request)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of database or broker, so their trouble restarts no web process."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether requests would succeed: `{"database": "ok", "broker": "ok", "migrations": "ok"}`.

    503 when one of them is not ok; its value then says why, without host names or credentials.
    """
    checks = {"database": _checked(_database), "broker": _checked(_broker)}
    checks["migrations"] = _checked(_migrations) if checks["database"] == "ok" else "not checked"
    status = 200 if all(result == "ok" for result in checks.values()) else 503
    return JsonResponse(checks, status=status)


def _checked(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, redis.RedisError) as error:
        return f"unreachable ({type(error).__name__})"


def _database() -> str:
    """The database answers, to a role that row-level security holds for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        return "connected as a role that bypasses row-level security" if cursor.fetchone() == (True,) else "ok"


def _broker() -> str:
    client().ping()
    return "ok"


def _migrations() -> str:
    global _migrations_seen_current  # noqa: PLW0603 -- one answer per process is enough
    if time.monotonic() - _migrations_seen_current < MIGRATIONS_FRESH:
        return "ok"
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return f"{len(missing)} not applied"
    _migrations_seen_current = time.monotonic()
    return "ok"
