"""How a settings page answers a change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict

from crm.lib.errors import CrmError
from crm.web.forms import add_error
from crm.web.htmx import hx_redirect


def done(request: HttpRequest, text: str, to: Any, *args: Any) -> HttpResponse:
    """The change was made: back to a page, which says so. `to` is a URL name or a path."""
    if text:
        messages.success(request, text)
    return hx_redirect(request, to, *args)


def refused(form: forms.Form, error: CrmError) -> None:
    """Puts an action's error on the form, unless it is not about the form: a missing thing or right, a limit."""
    if error.status not in (400, 409, 422):
        raise error
    add_error(form, error)


def sent_data(request: HttpRequest) -> QueryDict:
    """What was sent, by whatever method: Django reads the body of a POST only."""
    return request.POST if request.method == "POST" else QueryDict(request.body, encoding=request.encoding)
