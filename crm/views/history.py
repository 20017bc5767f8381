"""The history of a record: who changed what and when; and putting a single old value back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm import access
from crm.actions.undo import UNDOABLE
from crm.lib.errors import Invalid
from crm.models import AuditEntry, ChangeSet, Membership
from crm.records import history, oldvalues
from crm.records.history import Change, Group, Reader
from crm.records.limits import called
from crm.records.oldvalues import ChangedSince, restore_value
from crm.records.registry import RecordType
from crm.records.sieves import fields_of, sieve_of
from crm.views.records import type_of, url_for
from crm.web.htmx import hx_redirect, render_page, targets
from crm.web.pagination import decode_cursor, encode_cursor
from crm.web.urls import path_to

ON_PAGE = 50  # changes on a page
TEMPLATE = "records/history.html"
KINDS = {  # icon and tone of what happened
    "created": ("plus", "green"),
    "changed": ("pencil", "violet"),
    "deleted": ("trash-2", "red"),
    "restored": ("undo-2", "blue"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A changed field; `restore` is where its old value is put back from, "" where it can't be."""

    change: Change
    restore: str


@dataclass(frozen=True, slots=True)
class Line:
    """What one transaction did. `kind` is created, changed, deleted or restored; `source` is the set it was part of,
    and `source_url` its page, where it has one."""

    at: datetime
    who: str
    actor_kind: str
    kind: str
    icon: str
    tone: str
    source: str
    source_url: str
    changes: tuple[Shown, ...]


@require_GET
def record_history(request: HttpRequest, type_key: str, pk: str) -> HttpResponse:
    """Who changed what and when, newest first: `field` and `by` narrow it, `after` pages. A drawer for htmx."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    record = access.get_visible(record_type.model, pk, r.actor)
    chosen = {key: request.GET.get(key, "") for key in ("field", "by")}
    by = UUID(chosen["by"]) if access.is_uuid(chosen["by"]) else None
    sieve = sieve_of(record_type, chosen["field"], r.actor, by)
    before = _place(request.GET.get("after", ""))
    groups = history.history_groups(record_type, record.pk, before=before, limit=ON_PAGE + 1, sieve=sieve)
    last = groups[ON_PAGE - 1] if len(groups) > ON_PAGE else None
    reader = Reader(r.actor, record_type, record)
    people = _people(record_type, record, reader)
    reader.prepare(groups[:ON_PAGE])
    given = {key: value for key, value in chosen.items() if value}
    context = {
        "type": record_type,
        "record": record,
        "name": called(record, record_type.key, r.actor),
        "lines": _lines(groups[:ON_PAGE], reader, {chosen["field"], *sieve.tables} if chosen["field"] else set()),
        "chosen": chosen,
        "fields": fields_of(record_type, r.actor),
        "people": [(str(member), reader.names.of(Membership, member)) for member in people],
        "here": path_to("record_history", record_type.key, record.pk),
        "older": "?" + urlencode({**given, "after": encode_cursor("next", last.at, last.first)}) if last else "",
        "detail_url": url_for(record_type, "detail", record.pk),
        "list_url": url_for(record_type, "list"),
    }
    return render_page(request, TEMPLATE, context, block="drawer" if targets(request, "drawer") else "found")


def _place(cursor: str) -> tuple[datetime, int] | None:
    """Where a page begins. Raises Invalid for a damaged address."""
    if not cursor:
        return None
    _direction, at, first = decode_cursor(cursor)
    moment = parse_datetime(at) if isinstance(at, str) else None
    if moment is None or not first.isdigit():
        raise Invalid(_("This page's address is damaged. Open the list again."))
    return moment, int(first)


def _people(record_type: RecordType, record: Any, reader: Reader) -> Sequence[UUID]:
    """The members who changed the record or its children; their names are asked for."""
    own = Q(table_name=record_type.model._meta.db_table, row_id=record.pk)
    children = Q(parent_id=record.pk, table_name__in=record_type.history_tables)
    entries = AuditEntry.objects.filter(own | children)
    found = list(
        entries.filter(actor_id__isnull=False).values_list("actor_id", flat=True).distinct().order_by("actor_id")
    )
    for member in found:
        reader.names.want(Membership, member)
    return found


def _lines(groups: Sequence[Group], reader: Reader, only: set[str]) -> list[Line]:
    """What the groups say to this reader, of the fields in `only` if any; one that says nothing is left out."""
    sets = {group.change_set_id for group in groups} - {None}
    sources = {made.pk: made for made in ChangeSet.objects.filter(pk__in=sets)} if sets else {}
    keys = oldvalues.restorable_keys(reader.record_type, reader.record, reader.actor)
    lines = []
    for group in groups:
        kind, made = history.kind_of(group, reader.record_type), sources.get(group.change_set_id)
        seen = [change for change in reader.changes(group) if not only or change.key in only]
        changes = tuple(Shown(change, _restore_url(change, reader, keys)) for change in seen)
        if kind == "created":
            changes = ()
        elif kind == "changed" and not changes:
            continue
        who = reader.names.of(Membership, group.actor_id)
        source = _source(made), _source_url(made)
        lines.append(Line(group.at, who, group.actor_kind, kind, *KINDS[kind], *source, changes))
    return lines


def _source(made: ChangeSet | None) -> str:
    """What a change was part of, such as "Import: leads.csv"."""
    if made is None:
        return ""
    kind = str(made.get_kind_display())
    return f"{kind}: {made.label}" if made.label and made.kind not in ("restore", "purge") else kind


def _source_url(made: ChangeSet | None) -> str:
    """The page of a set that may hold more than this record."""
    return path_to("change_set", made.pk) if made is not None and made.kind in UNDOABLE else ""


def _restore_url(change: Change, reader: Reader, keys: frozenset[str]) -> str:
    """Where the old value is put back from; "" where that is not the reader's to do, or is what the field holds now."""
    if not change.entry or change.key not in keys:
        return ""
    field = reader.record_type.field(change.key)
    value = oldvalues.as_value(reader.record_type, field, change.value)
    if value == oldvalues.present_value(reader.record, field):
        return ""
    return path_to("record_value", reader.record_type.key, reader.record.pk, change.entry, change.key)


@require_POST
def record_value(request: HttpRequest, type_key: str, pk: str, entry: int, key: str) -> HttpResponse:
    """Puts the value back that a field had before a change. Where the field was changed again since, the present value
    is shown and asked about; the answer names the record's `version`."""
    r: Any = request
    record_type = type_of(type_key, r.actor)
    version = request.POST.get("version", "")
    seen = int(version) if version.isdigit() and len(version) <= 9 else None
    try:
        record, made = restore_value(record_type, pk, entry, key, acting=r.actor, version=seen)
    except ChangedSince as error:
        return _ask(request, record_type, pk, error.old, "")
    except Invalid as error:
        record = access.get_visible(record_type.model, pk, r.actor)
        old = oldvalues.old_value(record_type, record, entry, key, r.actor)
        return _ask(request, record_type, pk, old, " ".join(str(text) for text in error.fields.values()) or str(error))
    undo = path_to("record_value", record_type.key, pk, made, key) if made else ""
    label = record_type.field(key).label
    text = _("%(field)s has its old value again.") % {"field": label}
    messages.success(request, text, extra_tags=f"undo={undo}" if undo else "")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Refresh": "true"})
    seen_still = access.visible(record_type.model, r.actor).filter(pk=pk).exists()
    return (
        hx_redirect(request, "record_history", record_type.key, pk)
        if seen_still
        else hx_redirect(request, url_for(record_type, "list"))
    )


def _ask(request: HttpRequest, record_type: RecordType, pk: str, old: oldvalues.OldValue, error: str) -> HttpResponse:
    r: Any = request
    record = access.get_visible(record_type.model, pk, r.actor)
    context = {
        "type": record_type,
        "record": record,
        "name": called(record, record_type.key, r.actor),
        "old": old,
        "error": error,
        "action": path_to("record_value", record_type.key, record.pk, old.entry, old.field.key),
        "back": path_to("record_history", record_type.key, record.pk),
    }
    return render_page(request, "records/value.html", context, block="form", status=422)
