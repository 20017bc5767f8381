"""What deals put on the home page: figures, open deals, deals at risk, and a first step."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from markupsafe import Markup

from crm import access
from crm.lib import money
from crm.lib.dates import quarter_of
from crm.lib.money import Total
from crm.web import formats
from crm.web.cells import page_of
from crm.web.home import Step, home, scope_of
from crm.web.htmx import render
from crm.web.urls import path_to
from deals.cards import apart_text, total_note
from deals.models import Deal
from deals.queries.home import OpenDeals
from deals.records import DEAL

TEMPLATE = "deals/home.html"


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    home.add("deals.figures", figures, order=10, place="figures")
    home.add("deals.at_risk", at_risk, order=20)
    home.add("deals.open", open_deals, order=30)
    home.step(
        Step(
            key="deal",
            title=gettext_lazy("Open a deal"),
            detail=gettext_lazy("A deal is a sale you are working on. It moves along the board, stage by stage."),
            icon="square-kanban",
            url_name="deal_new",
            done=has_deals,
            order=30,
        )
    )


def has_deals(actor: Any) -> bool:
    """Whether the actor sees any deal."""
    return access.visible(Deal, actor).exists()


def _deals(request: Any) -> OpenDeals:
    """Made once for all panels of a page."""
    if not hasattr(request, "open_deals"):
        mine, organization = scope_of(request) == "mine", request.organization
        # Closing dates are of the organisation's day, whatever day it is for the reader.
        day = timezone.localdate(timezone=ZoneInfo(organization.time_zone))
        quarter = quarter_of(day, organization.fiscal_year_start)
        request.open_deals = OpenDeals(request.actor, mine=mine, today=timezone.localdate(), quarter=quarter)
    return request.open_deals


def figures(request: HttpRequest) -> Markup:
    """Won this quarter, open pipeline, weighted forecast, closing this month, at risk."""
    r: Any = request
    found, base = _deals(r).figures, r.organization.base_currency
    if not (found.count or found.won):
        return Markup("")

    def stat(name: str, sums: dict[str, int], note: str) -> dict[str, str]:
        total = money.total(sums, base, found.rates)
        return {"name": name, "value": formats.money_whole(total.amount, base), "note": note, "title": _title(total)}

    def deals(number: int) -> str:
        return ngettext("%(number)s deal", "%(number)s deals", number) % {"number": formats.number(number)}

    seen = _deals(r).seen
    stats = [
        stat(_("Won this quarter"), found.won_amounts, f"{deals(found.won)} · {_days_left(r)}"),
        stat(_("Open pipeline"), found.amounts, deals(found.count)),
        stat(_("Weighted forecast"), found.weighted, _("amounts by their probability")),
        stat(_("Closing this month"), found.closing_amounts, deals(found.closing)),
        {
            "name": _("At risk"),
            "value": formats.number(found.at_risk),
            "note": _("overdue, rotting or no next step"),
            "title": "",
        },
    ]
    needs = (("amount",), ("amount",), ("weighted",), ("amount", "close_date"), ())
    shown = [one for one, fields in zip(stats, needs, strict=True) if seen.issuperset(fields)]
    return _render(request, "figures", {"stats": shown})


def _days_left(request: Any) -> str:
    days = _deals(request).quarter.days_left
    return ngettext("%(number)s day left", "%(number)s days left", days) % {"number": formats.number(days)}


def _title(total: Total) -> str:
    exact = formats.money(total.amount, total.currency)
    return ". ".join(filter(None, (exact, total_note(total), apart_text(total))))


def open_deals(request: HttpRequest) -> Markup:
    """The open deals that close next."""
    deals = _deals(request)
    if not deals.figures.count or "close_date" not in deals.seen:
        return Markup("")
    more = path_to("deal_list") + ("?owner=me&status=open" if deals.mine else "?status=open")
    context = {"lines": deals.closing_next(), "count": deals.figures.count, "mine": deals.mine, "url_all": more}
    return _render(request, "open_deals", context | {"page_of": page_of(DEAL)})


def at_risk(request: HttpRequest) -> Markup:
    """The deals that need somebody, each with the reason."""
    deals = _deals(request)
    if not deals.figures.at_risk:
        return Markup("")
    context = {"lines": deals.at_risk(), "count": deals.figures.at_risk, "page_of": page_of(DEAL)}
    return _render(request, "at_risk", context)


def _render(request: HttpRequest, block: str, context: dict[str, Any]) -> Markup:
    return Markup(render(request, TEMPLATE, context, blocks=[block]))  # noqa: S704 -- rendered by our template
