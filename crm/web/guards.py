"""Who may open a page at all. Actions check again: a page is only one way to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from crm import rules
from crm.lib.errors import Forbidden
from crm.web.htmx import login_redirect

View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    """Pages outside of any organisation that need a person; inside one the middleware asks already."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return login_redirect(request)
        return view(request, *args, **kwargs)

    return guarded


def tag_managers_only(view: View) -> View:
    """The organisation's tags. That the pages exist is no secret, so the answer is Forbidden."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rules.may_manage_tags(request.actor):
            raise Forbidden
        return view(request, *args, **kwargs)

    return guarded


def admins_only(view: View) -> View:
    """Settings of the organisation and its people. That these pages exist is no secret, so the answer is Forbidden."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rules.may_administer(request.actor):
            raise Forbidden
        return view(request, *args, **kwargs)

    return guarded
