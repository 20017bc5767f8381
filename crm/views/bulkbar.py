"""The bar that appears when rows of a list are picked: what its reader may do with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from crm import rules
from crm.enums import BulkKind
from crm.forms.bulk import field_for, settable
from crm.records.lists import ListQuery
from crm.records.registry import RecordType
from crm.web.urls import path_to


@dataclass(frozen=True, slots=True)
class Bar:
    """Buttons as (text, icon, address), the addresses that delete, export and count; "" for what the reader may not.

    `here` is the list's own query string, which the way back leads to.
    """

    here: str
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    delete: str = ""
    export: str = ""
    count: str = ""  # of all that match, where that is more than the page


def bar_of(kind: RecordType, query: ListQuery, request: Any, *, more: bool) -> Bar | None:
    """The bar of a list; None where its reader may do nothing with several records."""
    # All of it: what a saved view leaves unsaid might be another thing when the action is sent.
    actor, said, here = request.actor, query.whole().url(), query.url(cursor=query.cursor)
    export = ""
    if rules.may_export(actor, request.organization.readonly_may_export):
        export = path_to("record_bulk_export", kind.key) + said
    count = path_to("record_bulk_count", kind.key) + said if more else ""
    if not rules.may_edit_anything(actor):
        return Bar(here, export=export, count=count) if export else None
    # One address is worked out, the others differ in one word.
    delete = path_to("record_bulk", kind.key, BulkKind.DELETE.value)
    others = delete.removesuffix(f"{BulkKind.DELETE.value}/") + "{what}/" + said.replace("{", "{{").replace("}", "}}")
    return Bar(here, _buttons(kind, others, actor), delete + said, export, count)


def _buttons(kind: RecordType, address: str, actor: Any) -> list[tuple[str, str, str]]:
    offered = [
        (BulkKind.ASSIGN, _("Assign"), "user"),
        (BulkKind.STAGE, _("Move"), "git-branch"),
        (BulkKind.TAG, _("Tag"), "tag"),
        (BulkKind.UNTAG, _("Untag"), "minus"),
        (BulkKind.SET, _("Edit field"), "pencil"),
    ]
    return [
        (text, icon, address.format(what=what.value))
        for what, text, icon in offered
        if (settable(kind, actor) if what == BulkKind.SET else field_for(kind, what, actor))
    ]
