"""What deals show on the pages of contacts and accounts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from markupsafe import Markup

from contacts.models import Account
from crm import rules
from crm.web.htmx import render
from crm.web.panels import panels
from deals.enums import DealStatus
from deals.queries import page


def deals_of_record(request: HttpRequest, record: Any) -> Markup:
    """The deals of an account, or those that a contact is part of."""
    r: Any = request
    is_account = isinstance(record, Account)
    where = {"account_id": record.pk} if is_account else {"deal_contacts__contact_id": record.pk}
    rows = page.deals_of(r.actor, **where)
    account = record.pk if is_account else record.account_id
    query = f"?account={account or ''}" + ("" if is_account else f"&contact={record.pk}")
    context = {
        "rows": rows[: page.PANEL],
        "more": len(rows) > page.PANEL,
        "open_count": sum(row["status"] == DealStatus.OPEN for row in rows),
        "may_add": rules.may_edit_anything(r.actor),
        "query": query,
        "account_id": record.pk if is_account else None,
    }
    return Markup(render(request, "deals/panel.html", context))  # noqa: S704 -- rendered with autoescape


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    panels.add("contact", "side", deals_of_record, order=10)
    panels.add("account", "side", deals_of_record, order=10)
