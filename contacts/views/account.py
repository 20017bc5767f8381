"""Pages of one account: the record, its form, its way to the recycle bin and back."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from contacts import access, page_queries, rules
from contacts.actions.accounts import create_account, delete_account, restore_account, update_account
from contacts.duplicates import DuplicateAccount
from contacts.forms import AccountForm, account_initial
from contacts.models import Account
from contacts.records import ACCOUNT
from contacts.views import _shared
from crm import queries
from crm import rules as kernel_rules
from crm.lib.errors import Conflict, Invalid
from crm.lib.phones import dialled
from crm.records import schema
from crm.records.conflicts import meanwhile
from crm.records.limits import veil
from crm.web import props
from crm.web.forms import add_error
from crm.web.htmx import hx_redirect, render_page
from crm.web.panels import panels
from crm.web.urls import path_to

KEY_FACTS = (
    "industry", "employee_count", "annual_revenue", "phone", "website", "domain", "parent", "owner",
    "customer_since", "is_key", "tags",
)  # fmt: skip
ADDRESS = ("street", "postal_code", "city", "region", "country")
ABOUT = ("description",)


@require_GET
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """An account with its people and what other apps show of it; for htmx its head alone."""
    r: Any = request
    account = access.get_account(pk, r.actor)
    may_write = access.may_write(account, r.actor)
    tags = queries.tags() if account.tags else {}
    kind = schema.record_type(ACCOUNT.key, r.actor)
    veil(account, kind, r.actor)
    shown = props.Props(kind, account, r.actor, tags, may_write=may_write)
    context = {
        "account": account,
        "people": page_queries.people_of(account, r.actor),
        "children": page_queries.children_of(account, r.actor),
        "facts": shown.of(*KEY_FACTS),
        "address": shown.of(*ADDRESS),
        "about": shown.of(*ABOUT),
        "own": shown.own(),
        "call": dialled(account.phone),
        "may_write": may_write,
        "may_add": kernel_rules.may_edit_anything(r.actor),
        "may_share": kernel_rules.may_share(r.actor, account.owner_id),
        "may_delete": rules.may_delete(r.actor, account),
        "panel": partial(panels.render, ACCOUNT.key, request=request, record=account),
    }
    return render_page(request, "contacts/account.html", context, block="head")


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form for a new account; a domain that an account has is shown before anything is saved."""
    r: Any = request
    _shared.refuse_readers(r.actor)
    currency = r.organization.base_currency
    form = AccountForm(request.POST or None, initial={"owner": r.actor.member_id}, actor=r.actor, currency=currency)
    duplicate = None
    if request.method == "POST" and form.is_valid():
        try:
            made = _shared.create_unless_known(create_account, form.new(), request)
        except DuplicateAccount as error:
            duplicate = error
        except Invalid as error:
            add_error(form, error)
        else:
            return _shared.after_saving(request, made, ACCOUNT)
    context = {"form": form, "duplicate": duplicate, "account": None, "clash": None}
    status = 422 if form.errors or duplicate else 200
    return render_page(request, "contacts/account_form.html", context, block="form", status=status)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    """The form of an account; what others changed since it was opened is shown, not overwritten."""
    r: Any = request
    account = _shared.writable(access.get_account(pk, r.actor), r.actor)
    currency = account.currency or r.organization.base_currency
    form = AccountForm(
        request.POST or None, initial=_initial(account), actor=r.actor, currency=currency, record=account
    )
    clash = None
    if request.method == "POST" and form.is_valid():
        version = _shared.version_of(request)
        try:
            changed = update_account(account.pk, form.changes(), acting=r.actor, version=version)
        except Conflict:
            account = access.get_account(pk, r.actor)
            clash = meanwhile(schema.record_type(ACCOUNT.key, r.actor), account, version, r.actor)
            if clash is None:
                raise
        except Invalid as error:
            add_error(form, error)
        else:
            return _shared.after_saving(request, changed, ACCOUNT)
    context = {"form": form, "duplicate": None, "account": account, "clash": clash}
    status = 422 if form.errors or clash else 200
    return render_page(request, "contacts/account_form.html", context, block="form", status=status)


def _initial(account: Account) -> dict[str, Any]:
    known = queries.tags() if account.tags else {}
    tags = [known[tag][0] for tag in account.tags if tag in known]
    return account_initial(account, page_queries.domains_of(account.id), tags)


@require_POST
def deletion(request: HttpRequest, pk: str) -> HttpResponse:
    """Moves an account to the recycle bin; the list then offers to undo it."""
    r: Any = request
    account = delete_account(pk, acting=r.actor)
    text = _("%(name)s was moved to the recycle bin.") % {"name": account.name}
    messages.success(request, text, extra_tags=_shared.undo_tag(path_to("account_restoration", account.pk)))
    return hx_redirect(request, "account_list")


@require_POST
def restoration(request: HttpRequest, pk: str) -> HttpResponse:
    """Takes an account out of the recycle bin."""
    r: Any = request
    account = restore_account(pk, acting=r.actor)
    text = _("%(name)s is back.") % {"name": account.name}
    messages.success(request, text, extra_tags=_shared.undo_tag(path_to("account_deletion", account.pk)))
    return hx_redirect(request, "account_detail", account.pk)
