"""What the pages of contacts and of accounts have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contacts import access
from contacts.duplicates import DuplicateRecord
from crm import rules
from crm.lib.errors import Forbidden, Invalid
from crm.records.registry import RecordType
from crm.tenancy.context import Actor
from crm.web.htmx import hx_redirect

Made = TypeVar("Made")


def refuse_readers(actor: Actor) -> None:
    """Raises Forbidden for members who may only read."""
    if not rules.may_edit_anything(actor):
        raise Forbidden(_("You can view this organisation's records, but not add any."))


def writable(record: Any, actor: Actor) -> Any:
    """The record, where the actor may change it. Raises NotFound like a record that is not there."""
    if not access.may_write(record, actor):
        raise access.absent(type(record))
    return record


def version_of(request: HttpRequest) -> int:
    """The version of the record that a form was opened on. Raises Invalid."""
    version = request.POST.get("version", "")
    if not version.isdigit() or len(version) > 9:
        raise Invalid(_("The form is incomplete. Reload the page and try again."))
    return int(version)


def after_saving(request: HttpRequest, record: Any, record_type: RecordType) -> HttpResponse:
    """To the record's page; to the list where the actor has just given it out of their own sight."""
    r: Any = request
    if access.sees(record, r.actor):
        return hx_redirect(request, record_type.url_names["detail"], record.pk)
    messages.success(request, _("Saved. It belongs to somebody else now, so you don't see it any more."))
    return hx_redirect(request, record_type.url_names["list"])


def undo_tag(address: str) -> str:
    """Makes a message offer to undo: the shell posts to this address."""
    return f"undo={address}"


def create_unless_known(create: Callable[..., Made], values: Any, request: HttpRequest) -> Made:
    """Creates a record. Raises DuplicateRecord, unless the form says "create anyway" of the very key it is about."""
    r: Any = request
    try:
        return create(values, acting=r.actor)
    except DuplicateRecord as error:
        if error.key not in request.POST.getlist("create_anyway"):
            raise
    return create(values, acting=r.actor, override_duplicate=True)
