"""Who works where: the dialogs that link a contact to an account, and the links as resources."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contacts import access, page_queries
from contacts.actions.links import link_contact, unlink_contact
from contacts.forms import LinkForm
from contacts.records import CONTACT
from contacts.views import _shared
from crm.lib.errors import Invalid, NotFound
from crm.records.limits import called
from crm.web.forms import add_error
from crm.web.htmx import hx_redirect, render_page

TEMPLATE = "contacts/link_form.html"


@require_http_methods(["GET", "POST"])
def links(request: HttpRequest, pk: str) -> HttpResponse:
    """Links a contact to an account that is chosen in the form."""
    r: Any = request
    contact = _shared.writable(access.get_contact(pk, r.actor), r.actor)
    form = LinkForm(request.POST or None, actor=r.actor, target="account")
    if request.method == "POST" and form.is_valid():
        try:
            link_contact(contact.pk, form.chosen("account"), acting=r.actor, **form.link())
        except Invalid as error:
            add_error(form, error)
        else:
            return hx_redirect(request, "contact_detail", contact.pk)
    name = called(contact, CONTACT.key, r.actor)
    context = {"form": form, "contact": contact, "name": name, "account": None, "link": None}
    return render_page(request, TEMPLATE, context, block="form", status=422 if form.errors else 200)


@require_http_methods(["GET", "POST", "DELETE"])
def link(request: HttpRequest, pk: str, account_pk: UUID) -> HttpResponse:
    """Changes what a contact is at an account; DELETE, or a form with `remove`, ends the link."""
    r: Any = request
    contact = _shared.writable(access.get_contact(pk, r.actor), r.actor)
    if request.method == "DELETE" or "remove" in request.POST:
        unlink_contact(contact.pk, account_pk, acting=r.actor)
        return hx_redirect(request, "contact_detail", contact.pk)
    found = page_queries.link_between(contact.pk, account_pk)
    if found is None:
        raise NotFound(_("This contact is not linked to that account any more."))
    values = {
        "role": found.role, "title": found.title, "started_on": found.started_on, "ended_on": found.ended_on,
        "primary": found.is_primary,
    }  # fmt: skip
    form = LinkForm(request.POST or None, initial=values, actor=r.actor)
    if request.method == "POST" and form.is_valid():
        try:
            link_contact(contact.pk, account_pk, acting=r.actor, **form.link())
        except Invalid as error:
            add_error(form, error)
        else:
            return hx_redirect(request, "contact_detail", contact.pk)
    name = called(contact, CONTACT.key, r.actor)
    context = {"form": form, "contact": contact, "name": name, "account": found.account, "link": found}
    return render_page(request, TEMPLATE, context, block="form", status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, pk: str) -> HttpResponse:
    """Links a contact that is chosen in the form to an account: the contact must be the actor's to change."""
    r: Any = request
    _shared.refuse_readers(r.actor)
    account = access.get_account(pk, r.actor)
    form = LinkForm(request.POST or None, actor=r.actor, target="contact")
    if request.method == "POST" and form.is_valid():
        try:
            link_contact(form.chosen("contact"), account.pk, acting=r.actor, **form.link())
        except Invalid as error:
            add_error(form, error)
        except NotFound:
            form.add_error("contact", _("You can't change this contact. Choose another one."))
        else:
            return hx_redirect(request, "account_detail", account.pk)
    context = {"form": form, "contact": None, "account": account, "link": None}
    return render_page(request, TEMPLATE, context, block="form", status=422 if form.errors else 200)
