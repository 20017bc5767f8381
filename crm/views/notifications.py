"""A member's notifications: the panel under the bell, and the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm import queries
from crm.actions.notifications import mark_all_read, mark_read
from crm.models import Notification
from crm.records import notices
from crm.tenancy.context import Actor
from crm.web.htmx import hx_redirect, is_partial, render_page, targets, toast
from crm.web.pagination import Key, keyset_page
from crm.web.urls import path_to

TEMPLATE = "notifications/inbox.html"
IN_PANEL, ON_PAGE = 8, 30
NEWEST = Key("id", descending=True)  # ids are made in the order of time


@dataclass(frozen=True, slots=True)
class Line:
    """A notification as the pages show it."""

    notification: Notification
    told: notices.Told


@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """The inbox, newest first; `show=unread` leaves what waits, `after` pages. Into #notes the panel under the bell,
    into #bell what is inside of it."""
    r: Any = request
    if is_partial(request) and targets(request, "bell"):
        return render_page(request, "_bell_mark.html")
    if is_partial(request) and targets(request, "notes"):
        lines = _lines(list(queries.inbox(r.member.pk).order_by("-id")[:IN_PANEL]), r.actor)
        return render_page(request, TEMPLATE, {"lines": lines, "unread": r.member_unread}, block="panel")
    return render_page(request, TEMPLATE, _inbox(request), block="list")


def _lines(rows: list[Notification], actor: Actor) -> list[Line]:
    return [Line(row, told) for row, told in zip(rows, notices.tell_all(rows, actor), strict=True)]


def _inbox(request: Any) -> dict[str, Any]:
    show = "unread" if request.GET.get("show") == "unread" else ""
    rows = queries.inbox(request.member.pk, unread_only=bool(show))
    page = keyset_page(rows, NEWEST, cursor=request.GET.get("after", ""), size=ON_PAGE)

    def href(cursor: str) -> str:
        return "?" + urlencode({k: v for k, v in (("show", show), ("after", cursor)) if v})

    unread = request.member_unread
    own = path_to("notifications")
    tabs = [(_("All"), own, not show, "inbox", None), (_("Unread"), f"{own}?show=unread", bool(show), "bell", unread)]
    lines = _lines(page.rows, request.actor)
    return {"lines": lines, "page_of": page, "href": href, "tabs": tabs, "show": show, "unread": unread}


@require_GET
def notification(request: HttpRequest, pk: str) -> HttpResponse:
    """Opens what a notification is about, and marks it as read."""
    r: Any = request
    found = mark_read(pk, acting=r.actor)
    return redirect(notices.tell(found).url or path_to("notifications"))


@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Marks all as read."""
    r: Any = request
    mark_all_read(acting=r.actor)
    r.member_unread = 0
    if not is_partial(request):
        return hx_redirect(request, "notifications")
    if targets(request, "notes"):
        lines = _lines(list(queries.inbox(r.member.pk).order_by("-id")[:IN_PANEL]), r.actor)
        return render_page(request, TEMPLATE, {"lines": lines, "unread": 0}, block="panel", also=["bell"])
    response = render_page(request, TEMPLATE, _inbox(request), block="list", also=["bell"])
    return toast(response, _("All marked as read"))
