"""Bulk actions of any record type: their forms, how far they have come, and what became of the records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import access, rules
from crm.actions import bulk
from crm.actions.notifications import mark_read_about
from crm.actions.undo import may_undo, undone_by
from crm.enums import BulkKind
from crm.forms.bulk import bulk_form, field_for, settable, values_of
from crm.lib.errors import Forbidden, Invalid
from crm.models import BulkPart, BulkRun
from crm.records import lists, schema, selections
from crm.records.limits import called
from crm.records.registry import RecordType
from crm.records.selections import Selection, parse_selection, without_choice
from crm.tenancy.context import Actor
from crm.views.origins import FROM, origin_of, way_back
from crm.views.records import csv_answer, type_of, url_for
from crm.web.formats import number
from crm.web.forms import add_error
from crm.web.htmx import hx_redirect, render_page
from crm.web.urls import path_to

OFFERED = frozenset(set(BulkKind) - {BulkKind.UNDO})
EXAMPLES = 5  # records named for each reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why some records stayed as they are: how many, and some of them that the reader sees, as (name, address)."""

    reason: str
    count: int
    examples: list[tuple[str, str]]


@require_http_methods(["GET", "POST"])
def record_bulk(request: HttpRequest, type_key: str, what: str) -> HttpResponse:
    """The form of a bulk action for the chosen records, in a dialog; sent, it begins. The list's parameters stand in
    the address, what was picked in `bulk-id`s or `bulk-all`, the way back in `bulk-from`."""
    r: Any = request
    kind = type_of(type_key, r.actor)
    if what not in OFFERED:
        raise Http404
    if not rules.may_edit_anything(r.actor):
        raise Forbidden(_("You can view this organisation's records, but not change any."))
    sent = request.POST if request.method == "POST" else request.GET
    selection = parse_selection(kind, request.GET, r.actor, chosen=sent)
    field = field_for(kind, what, r.actor, sent.get("bulk-field", ""))
    if field is None and what not in (BulkKind.DELETE, BulkKind.SET):
        raise Forbidden(_("Your role may not change this in these records."))
    ready = field is not None or what == BulkKind.DELETE
    data = request.POST if request.method == "POST" and ready else None
    form = bulk_form(kind, what, field, r.actor, currency=r.organization.base_currency, data=data)
    here = origin_of(kind, sent.get(FROM, ""), r.actor)
    if data is not None and form.is_valid():
        here = here or (selection.query.url() if selection.query is not None else "")
        try:
            values = values_of(form, kind, field)
            run = bulk.start_bulk(kind.key, what, values, selection, acting=r.actor, came_from=here)
            return _begun(request, kind, run)
        except Invalid as error:
            add_error(form, error)
    return _form_page(request, kind, what, form, field, selection, here)


def _form_page(
    request: HttpRequest, kind: RecordType, what: str, form: Any, field: Any, selection: Selection, here: str
) -> HttpResponse:
    r: Any = request
    count = selections.count_selected(kind, selection, r.actor)
    query = selection.query.whole().url() if selection.query is not None else ""
    context = {
        "type": kind,
        "what": what,
        "form": form,
        "field": field,
        "fields": settable(kind, r.actor) if what == BulkKind.SET else [],
        "ids": selection.ids,
        "all": selection.query is not None,
        "error": selections.too_many() if count > selections.MOST else "" if count else _("Choose some records first."),
        "title": _title(kind, what, count),
        "action": path_to("record_bulk", kind.key, what) + query,
        "back": url_for(kind, "list") + (here or query),
        "here": here,
    }
    return render_page(request, "bulk/form.html", context, block="form", status=422 if form.errors else 200)


def _title(kind: RecordType, what: str, count: int) -> str:
    """What is about to be done to how many, such as "Assign 5,000 contacts"."""
    titles = {
        BulkKind.ASSIGN.value: _("Assign %(n)s %(things)s"),
        BulkKind.SET.value: _("Change %(n)s %(things)s"),
        BulkKind.TAG.value: _("Tag %(n)s %(things)s"),
        BulkKind.UNTAG.value: _("Take tags from %(n)s %(things)s"),
        BulkKind.STAGE.value: _("Move %(n)s %(things)s"),
        BulkKind.DELETE.value: _("Delete %(n)s %(things)s"),
    }
    return titles[what] % {"n": number(count), "things": str(kind.label if count == 1 else kind.label_plural).lower()}


def _begun(request: HttpRequest, kind: RecordType, run: BulkRun) -> HttpResponse:
    """Back to the list with an undo where everything was done at once, else to the page that says how far it is."""
    r: Any = request
    if run.is_running or run.refused:
        return hx_redirect(request, path_to("bulk_run", run.pk))
    undo = path_to("change_set_undo", run.change_set_id) if run.changed else ""
    messages.success(request, bulk.result_text(run), extra_tags=f"undo={undo}" if undo else "")
    return hx_redirect(request, way_back(kind, run.came_from, r.actor))


@require_GET
def record_bulk_count(request: HttpRequest, type_key: str) -> HttpResponse:
    """How many records of a list match, in the words of the button that chooses all of them."""
    r: Any = request
    kind = type_of(type_key, r.actor)
    chosen = QueryDict(f"{selections.ALL}=1")
    selection = parse_selection(kind, request.GET, r.actor, chosen=chosen)
    count = selections.count_selected(kind, selection, r.actor)
    context = {"type": kind, "count": count, "error": selections.too_many() if count > selections.MOST else ""}
    return render_page(request, "bulk/count.html", context)


@require_GET
def record_bulk_export(request: HttpRequest, type_key: str) -> StreamingHttpResponse:
    """The chosen records as CSV, as the list's own export has them."""
    r: Any = request
    kind = type_of(type_key, r.actor)
    if not rules.may_export(r.actor, r.organization.readonly_may_export):
        raise Forbidden(_("Your role may not export. Ask an admin."))
    selection = parse_selection(kind, request.GET, r.actor)
    if selection.query is None and not selection.ids:
        raise Invalid(_("Choose some records first."))
    own = lists.parse_query(kind, without_choice(request.GET), r.actor)
    query = selection.query or replace(own, ids=selection.ids)
    return csv_answer(kind, query, r.actor)


# ---------------------------------------------------------------- a run


@require_GET
def bulk_run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far a run is, and at its end what became of the records."""
    r: Any = request
    run = bulk.get_run(pk, r.actor)
    kind = type_of(run.record_type, r.actor) if run.record_type else None
    if not run.is_running and run.owner_id == r.actor.member_id:
        r.member_unread -= mark_read_about(run.pk, acting=r.actor)
    made = run.change_set
    undone = undone_by(made) if made is not None and not run.is_running else None
    context = {
        "run": run,
        "type": kind,
        "percent": 100 * run.done // max(run.total, 1),
        "refusals": [] if run.is_running else refusals_of(run, r.actor),
        "may_undo": bool(made and run.changed and not run.is_running and not undone and may_undo(made, r.actor)),
        "undone": undone,
        "list_url": way_back(kind, run.came_from, r.actor) if kind else path_to("home"),
    }
    return render_page(request, "bulk/run.html", context, block="progress")


@require_POST
def bulk_run_cancellation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Begins no further part of a run."""
    r: Any = request
    bulk.cancel_run(pk, acting=r.actor)
    return hx_redirect(request, path_to("bulk_run", pk))


def refusals_of(run: BulkRun, actor: Actor) -> list[Refusal]:
    """Why records of a run stayed as they are, the most frequent reason first."""
    counts: Counter[str] = Counter()
    first: dict[str, list[tuple[str, UUID]]] = {}
    for key, refused in BulkPart.objects.filter(run=run).order_by("number").values_list("record_type", "refused"):
        for pk, reason in refused:
            counts[reason] += 1
            if len(first.setdefault(reason, [])) < EXAMPLES:
                first[reason].append((key, UUID(pk)))
    named = named_records([pair for pairs in first.values() for pair in pairs], actor)
    return [
        Refusal(reason, count, [named[pair] for pair in first[reason] if pair in named])
        for reason, count in counts.most_common()
    ]


def named_records(pairs: list[tuple[str, UUID]], actor: Actor) -> dict[tuple[str, UUID], tuple[str, str]]:
    """The names and addresses of records, by type and id, that the actor sees."""
    found = {}
    for key in {key for key, _pk in pairs}:
        kind = schema.record_type(key, actor)
        ids = [pk for other, pk in pairs if other == key]
        for record in access.visible(kind.model, actor).filter(pk__in=ids):
            name = called(record, key, actor)
            found[key, record.pk] = (name, url_for(kind, "detail", record.pk))
    return found
