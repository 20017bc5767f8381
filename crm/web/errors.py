"""One mapper from errors to answers: a page for a load, a toast for htmx, a problem document for programs."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.lib.errors import CrmError, Forbidden, NotFound, RateLimited
from crm.web.context import Shell
from crm.web.htmx import render, toast

PAGES = {403: "errors/403.html", 404: "errors/404.html", 429: "errors/429.html", 500: "errors/500.html"}
PROBLEM_TYPE = "application/problem+json"


class ErrorMiddleware:
    """Answers for errors that a view raises. Stands innermost, where the organisation and the transaction are known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn what a person may meet into an answer; anything else stays an exception, and so a logged 500."""
        error = as_crm_error(exception)
        return None if error is None else error_response(request, error)


def as_crm_error(exception: Exception) -> CrmError | None:
    """Our error for an exception of Django's that means the same; None for a fault of the program."""
    if isinstance(exception, CrmError):
        return exception
    if isinstance(exception, Http404):
        return NotFound()
    if isinstance(exception, PermissionDenied):
        return Forbidden(str(exception) or None)
    return None


def error_response(request: HttpRequest, error: CrmError) -> HttpResponse:
    """Build the answer, marked so that the request's transaction is rolled back."""
    if wants_json(request):
        response: HttpResponse = problem(error.status, error.code, str(error), error.fields)
    elif request.headers.get("HX-Request") == "true":
        response = _toast(error)
    else:
        response = error_page(request, error.status, str(error))
    if isinstance(error, RateLimited):
        response["Retry-After"] = str(math.ceil(error.retry_after))
    response.rollback = True  # type: ignore[attr-defined]
    return response


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a program asks: under /api/, or it accepts JSON and no page."""
    accept = request.headers.get("Accept", "")
    return request.path.startswith("/api/") or ("json" in accept and "text/html" not in accept)


def problem(status: int, code: str, detail: str, fields: Mapping[str, Any] | None = None) -> JsonResponse:
    """An RFC 9457 problem document; `errors` maps fields to their messages."""
    body: dict[str, Any] = {"type": "about:blank", "title": _title(status), "status": status, "code": code}
    body["detail"] = detail
    if fields:
        body["errors"] = {name: [str(text)] for name, text in fields.items()}
    return JsonResponse(body, status=status, content_type=PROBLEM_TYPE)


def _toast(error: CrmError) -> HttpResponse:
    response = HttpResponse(status=error.status)
    response["HX-Reswap"] = "none"
    text = " ".join([str(error), *(str(message) for message in error.fields.values())])
    return toast(response, text, "error")


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """The page for a status: in the shell where somebody is signed in, without navigation otherwise."""
    context: dict[str, Any] = {
        "status": status,
        "heading": _title(status),
        "message": message,
        "reference": getattr(request, "request_id", ""),
        "moment": timezone.now(),
    }
    if status == 500:
        # Whatever broke may be what says who is signed in: this page asks nothing of the database.
        context["shell"] = Shell(request, anonymous=True)
    template = PAGES.get(status, "errors/error.html")
    return HttpResponse(render(request, template, context), status=status)


def _title(status: int) -> str:
    titles = {
        400: _("This request makes no sense"),
        403: _("You cannot do this"),
        404: _("This page is not here"),
        409: _("Somebody was faster"),
        422: _("Something is missing"),
        429: _("Too many tries"),
        500: _("Something broke on our side"),
        503: _("This takes too long"),
    }
    return titles.get(status, _("That did not work"))
