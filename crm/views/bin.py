"""The recycle bin: what was deleted in the last 30 days, restoring it, deleting it for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import access, queries, rules
from crm.actions.bin import Restored, restore_entries
from crm.actions.field_purge import RECEIPT
from crm.actions.purge import purge_entries
from crm.lib.errors import Forbidden, Invalid
from crm.models import BinEntry, DeletionReceipt, Membership
from crm.records.bin import KEEP, BinType, bin_types, may_restore, names_of, truly_named, visible_entries, words_along
from crm.records.lists import named_q
from crm.records.names import Names
from crm.records.registry import registry
from crm.tenancy.context import Actor
from crm.web.htmx import hx_redirect, render_page
from crm.web.pagination import Key, Page, capped_count, keyset_page
from crm.web.urls import path_to

ON_PAGE = 50
NEWEST = Key("created_at", descending=True)
SOON, LAST_DAY = 7, 1  # days left from which an entry is marked
SHOWN_NAMES = 10  # names that the question before a purge lists


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it, by the `name` that its reader may know. `detail` says what went with it, `who` is
    "" for the system."""

    entry: BinEntry
    kind: BinType
    name: str
    detail: str
    who: str
    days_left: int
    tone: str
    may_restore: bool


@require_GET
def recycle_bin(request: HttpRequest) -> HttpResponse:
    """What the actor saw before it was deleted, the latest first: `type`, `by` and `q` filter, `after` pages."""
    r: Any = request
    kinds = {kind.key: kind for kind in bin_types()}
    chosen = {key: request.GET.get(key, "").strip()[:200] for key in ("type", "by", "q")}
    rows = _filtered(visible_entries(r.actor), chosen, r.actor)
    page = keyset_page(rows.select_related("change_set"), NEWEST, cursor=request.GET.get("after", ""), size=ON_PAGE)

    def href(**changed: str) -> str:
        return "?" + urlencode({key: value for key, value in {**chosen, **changed}.items() if value})

    context = {
        "lines": _lines(page.rows, kinds, r.actor),
        "page_of": page,
        "href": lambda cursor: href(after=cursor),
        "count": capped_count([rows]) if page.next_cursor or page.prev_cursor else None,
        "chosen": chosen,
        "kinds": [(_("All"), href(type=""), not chosen["type"], "")]
        + [(kind.label_plural, href(type=key), chosen["type"] == key, "") for key, kind in kinds.items()],
        "people": [(str(pk), name) for pk, name in queries.members()],
        "may_purge": rules.may_purge(r.actor),
        "days": KEEP.days,
    }
    return render_page(request, "bin/bin.html", context, block="found")


def _filtered(rows: QuerySet[BinEntry], chosen: dict[str, str], actor: Actor) -> QuerySet[BinEntry]:
    if chosen["type"]:
        rows = rows.filter(record_type=chosen["type"])
    if chosen["by"]:
        rows = rows.filter(deleted_by_id__in=[chosen["by"]] if access.is_uuid(chosen["by"]) else [])
    return rows.filter(named_q("name_norm", chosen["q"]), truly_named(actor)) if chosen["q"] else rows


def _lines(entries: Sequence[BinEntry], kinds: dict[str, BinType], actor: Actor) -> list[Line]:
    names, now, called = Names(), timezone.now(), names_of(entries, actor)
    for entry in entries:
        names.want(Membership, entry.deleted_by_id)
    names.load()
    return [
        _line(entry, kinds[entry.record_type], called[entry.pk], names.of(Membership, entry.deleted_by_id), now, actor)
        for entry in entries
        if entry.record_type in kinds
    ]


def _line(entry: BinEntry, kind: BinType, name: str, who: str, now: datetime, actor: Actor) -> Line:
    left = max(0, -((now - entry.created_at - KEEP) // timedelta(days=1)))
    tone = "red" if left <= LAST_DAY else "amber" if left <= SOON else ""
    along = words_along(kind.key, entry.along)
    parts = [str(kind.label), *([_("with %(things)s") % {"things": ", ".join(along)}] if along else [])]
    return Line(entry, kind, name, " · ".join(parts), who, left, tone, may_restore(entry, actor))


def _ids(request: HttpRequest) -> list[UUID]:
    """The entries that a request names, each once. Raises Invalid where it names none."""
    given = request.POST.getlist("id") if request.method == "POST" else request.GET.getlist("id")
    ids = list(dict.fromkeys(UUID(value) for value in given if access.is_uuid(value)))
    if not ids:
        raise Invalid(_("Choose at least one record first."))
    return ids


@require_POST
def restoration(request: HttpRequest) -> HttpResponse:
    """Takes the records of entries (`id`, several) out of the bin; what can't come back is said."""
    r: Any = request
    restored = restore_entries(_ids(request), acting=r.actor)
    _tell(request, restored, r.actor)
    return hx_redirect(request, "recycle_bin")


def _tell(request: HttpRequest, restored: Restored, actor: Actor) -> None:
    back = restored.records
    if len(back) == 1:
        name = _kind_of(back[0]).called(back[0], actor)
        messages.success(request, _("%(name)s is back.") % {"name": name}, extra_tags=_undo(back[0]))
    elif back:
        text = ngettext("%(n)d record is back.", "%(n)d records are back.", len(back))
        messages.success(request, text % {"n": len(back)})
    for name, reason in restored.refused:
        messages.error(request, _("%(name)s is still in the bin. %(reason)s") % {"name": name, "reason": reason})


def _kind_of(record: Any) -> BinType:
    return next(kind for kind in bin_types() if kind.model is type(record))


def _undo(record: Any) -> str:
    """Lets the toast delete a record again, where it is of a registered type."""
    key = _kind_of(record).key
    known = any(record_type.key == key for record_type in registry)
    return f"undo={path_to('record_delete', key, record.pk)}" if known else ""


@require_http_methods(["GET", "POST"])
def purge(request: HttpRequest) -> HttpResponse:
    """Asks, and deletes the records of entries (`id`, several) for good. Admins only; it must be confirmed."""
    r: Any = request
    if not rules.may_purge(r.actor):
        raise Forbidden(_("Only an admin can delete for good."))
    ids, error = _ids(request), ""
    if request.method == "POST":
        if request.POST.get("confirmed"):
            count = purge_entries(ids, acting=r.actor)
            text = ngettext("%(n)d record was deleted for good.", "%(n)d records were deleted for good.", count)
            messages.success(request, text % {"n": count})
            return hx_redirect(request, "recycle_bin")
        error = _("Tick the box: what is deleted for good can't be restored.")
    entries = visible_entries(r.actor).filter(pk__in=ids).order_by("name_norm", "pk")
    found = list(entries)
    if not found:
        raise access.absent(BinEntry)
    names = [name or "—" for name in names_of(found[:SHOWN_NAMES], r.actor).values()]
    context = {"entries": found, "names": names, "more": len(found) - len(names), "error": error}
    return render_page(request, "bin/purge.html", context, block="form", status=422 if error else 200)


@require_GET
def receipts(request: HttpRequest) -> HttpResponse:
    """What was deleted for good, without a word of what it said. Admins only."""
    r: Any = request
    if not rules.may_purge(r.actor):
        raise Forbidden
    kinds = {kind.key: kind.label for kind in bin_types()} | {RECEIPT: _("Field")}
    page: Page = keyset_page(DeletionReceipt.objects.all(), NEWEST, cursor=request.GET.get("after", ""), size=ON_PAGE)
    names = Names()
    for receipt in page.rows:
        names.want(Membership, receipt.purged_by_id)
    names.load()
    context = {
        "rows": [
            (row, kinds.get(row.record_type, row.record_type), names.of(Membership, row.purged_by_id))
            for row in page.rows
        ],
        "page_of": page,
        "href": lambda cursor: "?" + urlencode({"after": cursor}),
    }
    return render_page(request, "bin/receipts.html", context)
