"""One transaction per request, and the organisation in the path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import set_script_prefix
from django.utils import timezone, translation

from crm.tenancy import context

Handler = Callable[[HttpRequest], HttpResponse]
# Answered without a session or a transaction: a probe must not depend on what it probes.
OUTSIDE = ("/healthz", "/readyz", "/static/")


class TransactionMiddleware:
    """Opens the request's transaction; the response is rendered inside it.

    It rolls back on every exception, on every status of 500 and above, and where the response carries
    `rollback = True` (a CrmError that was turned into a page).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(OUTSIDE):
            return self.get_response(request)
        context.leave()
        try:
            with transaction.atomic():
                response = self.get_response(request)
                if response.status_code >= 500 or getattr(response, "rollback", False):
                    transaction.set_rollback(True)
            return response
        finally:
            context.leave()


class OrganizationMiddleware:
    """Chooses the URLconf, and for `/w/<slug>/...` enters the organisation as the signed-in member.

    Sets `request.organization`, `request.member` and `request.actor` (all None elsewhere), `request.member_unread`
    (how many notifications wait), `request.member_marks` (what crm.queries.view_marks reads), the reader's time zone
    and language, and the script prefix, so that `url()` and redirects stay in the organisation.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        r: Any = request
        r.organization = r.member = r.actor = None
        r.member_unread, r.member_marks = 0, ""
        try:
            if r.session.slug:
                return self._inside(r)
            if r.user.is_authenticated:
                context.enter_user(r.user.id)
                self._personal(r.user.locale, r.user.time_zone or "UTC")
            return self.get_response(request)
        finally:
            timezone.deactivate()
            translation.deactivate()

    def _inside(self, request: Any) -> HttpResponse:
        user = request.user
        signed_in = user.is_authenticated  # reads the session, and the membership with it
        opening = request.session.opening
        if not signed_in:
            from crm.web.htmx import login_redirect  # noqa: PLC0415 -- the web layer reads this module's contract

            if opening:
                context.forget()
            return login_redirect(request)
        found = opening.membered
        if found is None:
            return self._absent(request)
        request.organization, request.member, request.actor = found.organization, found.member, found.actor
        request.member_unread, request.member_marks = opening.unread, opening.marks
        self._personal(user.locale, user.time_zone or found.organization.time_zone)
        context.enter(found.actor, is_told=True)
        prefix = f"/w/{request.session.slug}/"
        request.urlconf = settings.ORG_URLCONF
        request.path_info = "/" + request.path_info[len(prefix) :]
        request.script_prefix = prefix
        set_script_prefix(prefix)
        try:
            return self.get_response(request)
        finally:
            set_script_prefix("/")

    def _absent(self, request: Any) -> HttpResponse:
        # Answered by the handler chain, so that the page looks like every other 404.
        context.enter_user(request.user.id)
        self._personal(request.user.locale, request.user.time_zone or "UTC")
        request.urlconf = "crm.config.urls_absent"
        return self.get_response(request)

    @staticmethod
    def _personal(locale: str, zone: str) -> None:
        translation.activate(locale)
        timezone.activate(ZoneInfo(zone))
