"""What can be done with a record of any type from the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from crm import access, rules
from crm.records import schema
from crm.records.actions import editable_fields
from crm.records.registry import RecordType
from crm.views.records import url_for
from crm.web.commands import Command
from crm.web.urls import path_to


def generic(request: HttpRequest, type_key: str, record: Any) -> Iterator[Command]:
    """Edit, hand over, share, history, copy the link: each where the actor may and the type can."""
    r: Any = request
    record_type = schema.record_type(type_key, r.actor)
    if access.may_write(record, r.actor):
        # A form of the type's own opens over the page, the generic one is a page.
        how: Any = "dialog" if "edit" in record_type.url_names else "page"
        yield Command("edit", _("Edit"), "pencil", url_for(record_type, "edit", record.pk), how)
    if rules.may_share(r.actor, record.owner_id):
        if any(field.key == "owner" for field in editable_fields(record_type, r.actor)):
            url = path_to("record_field", type_key, record.pk, "owner") + "?edit=1"
            yield Command("owner", _("Change owner"), "user", url)
        if access.is_shareable(record_type.model):
            shares = path_to("record_shares", type_key, record.pk)
            yield Command("share", _("Share"), "share-2", shares, "dialog")
    yield Command("history", _("History of changes"), "history", _history(record_type, record))
    yield Command("copy", _("Copy link"), "link", url_for(record_type, "detail", record.pk), "copy")


def _history(record_type: RecordType, record: Any) -> str:
    return path_to("record_history", record_type.key, record.pk)
