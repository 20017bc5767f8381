"""Logs that say which request, organisation and member a line belongs to, in web, worker, relay and beat alike."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse

from crm.tenancy import context
from crm.web.metrics import observe_request

request_id: ContextVar[str] = ContextVar("keel_request_id", default="")

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET_PATHS = ("/healthz", "/readyz", "/static/")
# Answered by a middleware, so Django resolves no route for them.
NOT_ROUTED = {"/healthz": "healthz", "/readyz": "readyz"}
log = logging.getLogger("keel.request")


class ContextFilter(logging.Filter):
    """Adds `request_id`, `organization` and `member` to every record that does not bring its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):
            record.request_id = request_id.get()
        if not hasattr(record, "organization"):
            org = context.current_org_id()
            record.organization = str(org or "")
            record.member = str(context.current_actor().member_id or "") if _acting() else ""
        return True


def _acting() -> bool:
    try:
        context.current_actor()
    except context.NoOrganization:
        return False
    return True


class RequestLogMiddleware:
    """One log line per request, its id accepted from and answered in `X-Request-ID`, and its metrics."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        r: Any = request
        r.request_id = accepted_id(request.headers.get(HEADER, ""))
        token = request_id.set(r.request_id)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response[HEADER] = r.request_id
            self._record(r, response, time.perf_counter() - started)
            return response
        finally:
            request_id.reset(token)

    @staticmethod
    def _record(request: Any, response: HttpResponse, seconds: float) -> None:
        match = request.resolver_match
        route = (match.view_name or match.route) if match else NOT_ROUTED.get(request.path, "unresolved")
        observe_request(route, request.method or "", response.status_code, seconds)
        level = logging.DEBUG if request.path.startswith(QUIET_PATHS) else logging.INFO
        if response.status_code >= 500:
            level = logging.ERROR
        if not log.isEnabledFor(level):
            return
        milliseconds = round(seconds * 1000, 1)
        # The query string stays out: it may hold a token or what somebody searched for.
        log.log(
            level,
            "%s %s %s %s ms",
            request.method,
            request.path,
            response.status_code,
            milliseconds,
            extra={
                "organization": _id(request, "organization"),
                "member": _id(request, "member"),
                "method": request.method,
                "path": request.path,
                "route": route,
                "status": response.status_code,
                "duration_ms": milliseconds,
            },
        )


def accepted_id(offered: str) -> str:
    """The id a proxy gave the request if it is a plain one, else a new one."""
    return offered if ACCEPTED.fullmatch(offered) else uuid.uuid4().hex


def _id(request: Any, name: str) -> str:
    return str(getattr(getattr(request, name, None), "id", "") or "")
