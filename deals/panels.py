"""What deals show on the pages of contacts and accounts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup

from contacts.models import Account
from crm import rules
from crm.records import schema
from crm.records.limits import seen_keys
from crm.web.htmx import render
from crm.web.panels import panels
from deals.enums import DealStatus
from deals.queries import page

DAY = 86_400  # seconds


def deals_of_record(request: HttpRequest, record: Any) -> Markup:
    """The deals of an account, or those that a contact is part of."""
    r: Any = request
    is_account = isinstance(record, Account)
    rows = (page.deals_of_account if is_account else page.deals_of_contact)(r.actor, record.pk)
    seen = seen_keys(schema.record_type("deal", r.actor), r.actor)
    # The contact's account is empty where the reader doesn't see it.
    account = record.pk if is_account else getattr(record.account, "pk", None)
    query = f"?account={account or ''}" + ("" if is_account else f"&contact={record.pk}")
    context = {
        "rows": rows[: page.PANEL],
        "more": len(rows) > page.PANEL,
        "open_count": sum(row["status"] == DealStatus.OPEN for row in rows),
        "may_add": rules.may_edit_anything(r.actor),
        "query": query,
        "account_id": record.pk if is_account else None,
        "sees": seen,
    }
    return Markup(render(request, "deals/panel.html", context))  # noqa: S704 -- rendered with autoescape


def stage_history(request: HttpRequest, deal: Any) -> Markup:
    """How long the deal was in each of its stages."""
    spells = page.stage_spells(deal, timezone.now())
    if not spells:
        return Markup("")
    whole = sum(spell.seconds for spell in spells) or 1
    parts = [
        (spell.name, 100 * spell.seconds / whole, spell.tone, _("%(n)d d") % {"n": spell.seconds // DAY}, "")
        for spell in spells
    ]
    label = ", ".join(_("%(stage)s %(days)s") % {"stage": name, "days": days} for name, _p, _t, days, _n in parts)
    days = whole // DAY
    context = {
        "parts": parts,
        "label": label,
        "total": ngettext("%(n)d day so far", "%(n)d days so far", days) % {"n": days}
        if deal.status == DealStatus.OPEN
        else ngettext("%(n)d day in all", "%(n)d days in all", days) % {"n": days},
    }
    return Markup(render(request, "deals/stage_history.html", context))  # noqa: S704 -- rendered with autoescape


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    panels.add("deal", "main", stage_history, order=5)
    panels.add("contact", "side", deals_of_record, order=10)
    panels.add("account", "side", deals_of_record, order=10)
