"""The bulk actions and undos that a member has begun: the way back to a run whose page was left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm import access, rules
from crm.actions import bulk
from crm.enums import BulkKind, BulkStatus
from crm.models import BulkRun, Membership
from crm.records.names import Names
from crm.tenancy.context import Actor
from crm.web.formats import number
from crm.web.htmx import render_page
from crm.web.pagination import Key, keyset_page

ON_PAGE = 30
NEWEST = Key("id", descending=True)  # ids are made in the order of time
ICONS = {
    BulkKind.ASSIGN: "user",
    BulkKind.SET: "pencil",
    BulkKind.TAG: "tag",
    BulkKind.UNTAG: "minus",
    BulkKind.STAGE: "git-branch",
    BulkKind.DELETE: "trash-2",
    BulkKind.UNDO: "undo-2",
}
TONES = {BulkStatus.DONE: "green", BulkStatus.CANCELLED: "gray", BulkStatus.FAILED: "red"}


@dataclass(frozen=True, slots=True)
class Line:
    """A run as the page shows it: what it is called, on what, how far it is, and whose it is."""

    run: BulkRun
    icon: str
    title: str
    detail: str
    state: str
    tone: str
    who: str


@require_GET
def bulk_runs(request: HttpRequest) -> HttpResponse:
    """What one has begun, the latest first; to admins everybody's. `after` pages."""
    r: Any = request
    page = keyset_page(access.own_rows(BulkRun, r.actor), NEWEST, cursor=request.GET.get("after", ""), size=ON_PAGE)
    context = {
        "lines": _lines(page.rows, r.actor),
        "page_of": page,
        "href": lambda cursor: "?" + urlencode({"after": cursor} if cursor else {}),
        "may_import": rules.may_edit_anything(r.actor),
    }
    return render_page(request, "bulk/runs.html", context)


def _lines(runs: list[BulkRun], actor: Actor) -> list[Line]:
    names = Names()
    for run in runs:
        names.want(Membership, run.owner_id)
    names.load()
    return [_line(run, names.of(Membership, run.owner_id), actor) for run in runs]


def _line(run: BulkRun, who: str, actor: Actor) -> Line:
    kind = BulkKind(run.kind)
    state = str(run.get_status_display())
    if run.is_running and run.done:
        state = _("%(n)s%%") % {"n": 100 * run.done // run.total}
    tone = "amber" if run.status == BulkStatus.DONE and run.refused else TONES.get(BulkStatus(run.status), "blue")
    return Line(run, ICONS[kind], kind.called(run.label), _detail(run, actor), state, tone, who)


def _detail(run: BulkRun, actor: Actor) -> str:
    """How many of which records, and what became of them."""
    parts = [f"{number(run.total)} {bulk.things_of(run, actor, run.total)}"]
    if run.done:
        parts.append(_("%(n)s changed") % {"n": number(run.changed)})
    if run.refused:
        parts.append(_("%(n)s left out") % {"n": number(run.refused)})
    return " · ".join(parts)
