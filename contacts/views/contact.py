"""Pages of one contact: the record, its form, its way to the recycle bin and back."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from contacts import access, page_queries, rules
from contacts.actions.contacts import create_contact, delete_contact, restore_contact, update_contact
from contacts.duplicates import DuplicateContact
from contacts.forms import ContactForm, contact_initial
from contacts.models import Contact
from contacts.records import CONTACT, LIFECYCLE_TONES
from contacts.values import EmailValue, PhoneValue
from contacts.views import _shared
from crm import queries
from crm import rules as kernel_rules
from crm.lib.errors import Conflict, Invalid
from crm.lib.phones import dialled, readable_phone
from crm.records import schema
from crm.records.conflicts import meanwhile
from crm.records.limits import called, seen_keys, veil
from crm.web import props
from crm.web.forms import add_error
from crm.web.htmx import hx_redirect, render_page
from crm.web.panels import panels
from crm.web.urls import path_to

DETAILS = (
    "email", "phone", "title", "department", "account", "owner", "lifecycle", "lead_status", "lead_source", "tags",
)  # fmt: skip
ADDRESS = ("street", "postal_code", "city", "region", "country")
CONSENT = ("do_not_email", "do_not_call")


@require_GET
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """A contact with its accounts, colleagues and what other apps show of it; for htmx its head alone."""
    r: Any = request
    contact = access.get_contact(pk, r.actor)
    may_write = access.may_write(contact, r.actor)
    parts = page_queries.contact_parts(contact, r.actor)
    kind = schema.record_type(CONTACT.key, r.actor)
    seen = seen_keys(kind, r.actor)
    use = {
        "call": dialled(parts.phones[0].value) if parts.phones and not contact.do_not_call else "",
        "mail": contact.email if "email" in seen and not contact.do_not_email else "",
    }
    veil(contact, kind, r.actor)
    shown = props.Props(kind, contact, r.actor, parts.tags, may_write=may_write)
    context = {
        "contact": contact,
        "name": called(contact, CONTACT.key, r.actor),
        "lifecycle_tone": LIFECYCLE_TONES.get(contact.lifecycle, "gray"),
        "parts": parts,
        "details": shown.of(*DETAILS),
        "address": shown.of(*ADDRESS),
        "consent": shown.of(*CONSENT),
        "own": shown.own(),
        "may_write": may_write,
        "may_share": kernel_rules.may_share(r.actor, contact.owner_id),
        "may_delete": rules.may_delete(r.actor, contact),
        "panel": partial(panels.render, CONTACT.key, request=request, record=contact),
        "sees": seen,
        **use,
    }
    return render_page(request, "contacts/contact.html", context, block="head")


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form for a new contact; an address that somebody has is shown before anything is saved."""
    r: Any = request
    _shared.refuse_readers(r.actor)
    initial = {"owner": r.actor.member_id, "account": request.GET.get("account", "")}
    currency = r.organization.base_currency
    form = ContactForm(request.POST or None, initial=initial, actor=r.actor, currency=currency)
    duplicate = None
    if request.method == "POST" and form.is_valid():
        try:
            made = _shared.create_unless_known(create_contact, form.new(), request)
        except DuplicateContact as error:
            duplicate = error
        except Invalid as error:
            add_error(form, error)
        else:
            return _shared.after_saving(request, made, CONTACT)
    context = {"form": form, "duplicate": duplicate, "contact": None, "clash": None}
    status = 422 if form.errors or duplicate else 200
    return render_page(request, "contacts/contact_form.html", context, block="form", status=status)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    """The form of a contact; what others changed since it was opened is shown, not overwritten."""
    r: Any = request
    contact = _shared.writable(access.get_contact(pk, r.actor), r.actor)
    currency = r.organization.base_currency
    form = ContactForm(
        request.POST or None, initial=_initial(contact), actor=r.actor, currency=currency, record=contact
    )
    clash = None
    if request.method == "POST" and form.is_valid():
        version = _shared.version_of(request)
        try:
            changed = update_contact(contact.pk, form.changes(), acting=r.actor, version=version)
        except Conflict:
            contact = access.get_contact(pk, r.actor)
            clash = meanwhile(schema.record_type(CONTACT.key, r.actor), contact, version, r.actor)
            if clash is None:
                raise
        except Invalid as error:
            add_error(form, error)
        else:
            return _shared.after_saving(request, changed, CONTACT)
    name = called(contact, CONTACT.key, r.actor)
    context = {"form": form, "duplicate": None, "contact": contact, "name": name, "clash": clash}
    status = 422 if form.errors or clash else 200
    return render_page(request, "contacts/contact_form.html", context, block="form", status=status)


def _initial(contact: Contact) -> dict[str, Any]:
    emails, phones = page_queries.contact_lines(contact.id)
    known = queries.tags() if contact.tags else {}
    return contact_initial(
        contact,
        [EmailValue(line.value, line.kind, line.is_primary) for line in emails],
        [PhoneValue(readable_phone(line.value), line.kind, line.is_primary) for line in phones],
        [known[tag][0] for tag in contact.tags if tag in known],
    )


@require_POST
def deletion(request: HttpRequest, pk: str) -> HttpResponse:
    """Moves a contact to the recycle bin; the list then offers to undo it."""
    r: Any = request
    contact = delete_contact(pk, acting=r.actor)
    text = _("%(name)s was moved to the recycle bin.") % {"name": called(contact, CONTACT.key, r.actor)}
    messages.success(request, text, extra_tags=_shared.undo_tag(path_to("contact_restoration", contact.pk)))
    return hx_redirect(request, "contact_list")


@require_POST
def restoration(request: HttpRequest, pk: str) -> HttpResponse:
    """Takes a contact out of the recycle bin."""
    r: Any = request
    contact = restore_contact(pk, acting=r.actor)
    text = _("%(name)s is back.") % {"name": called(contact, CONTACT.key, r.actor)}
    messages.success(request, text, extra_tags=_shared.undo_tag(path_to("contact_deletion", contact.pk)))
    return hx_redirect(request, "contact_detail", contact.pk)
