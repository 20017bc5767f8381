"""Views for errors that arise outside of any view: no such URL, a refused CSRF token, a fault of the program."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from crm.lib.errors import CrmError, Forbidden, NotFound
from crm.web.errors import error_page, error_response, problem, wants_json
from crm.web.htmx import toast


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: also for organisations that do not exist or are not the reader's."""
    return error_response(request, NotFound())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403"""
    return error_response(request, Forbidden())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400"""
    return error_response(request, CrmError(_("The browser sent something this server cannot read.")))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a page that is too old, or from another site."""
    message = _("This page was open too long. Reload it and send the form again.")
    return error_response(request, Forbidden(message, code="csrf"))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: says the reference under which the fault is logged, and nothing about the fault."""
    message = _("Something broke on our side. What you saved before is safe. Try again in a moment.")
    if wants_json(request):
        return problem(500, "server_error", message)
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=500)
        response["HX-Reswap"] = "none"
        return toast(response, message, "error")
    return error_page(request, 500, message)
