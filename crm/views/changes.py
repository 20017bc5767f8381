"""Change sets: what was written together, by whom, and taking it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm import access, rules
from crm.actions import bulk, undo
from crm.models import ChangeSet, Membership
from crm.records import changesets
from crm.records.names import Names
from crm.views.origins import way_back
from crm.views.records import type_of, url_for
from crm.web.htmx import hx_redirect, render_page
from crm.web.urls import path_to


@require_GET
def change_set(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a change set did, as far as the reader sees the records; who made it sees what an undo would do."""
    r: Any = request
    made = undo.get_change_set(pk)
    chosen = undo.records_of(made)
    shown = changesets.first_changes(made, chosen, r.actor)
    is_own = rules.may_administer(r.actor) or made.made_by_id == r.actor.member_id
    if not is_own and not shown:
        raise access.absent(ChangeSet)
    undone, run = undo.undone_by(made), bulk.run_of(made, r.actor)
    may_undo = undo.may_undo(made, r.actor) and undone is None and not undo.is_under_way(made)
    names = Names()
    names.want(Membership, made.made_by_id)
    names.load()
    context = {
        "made": made,
        "who": names.of(Membership, made.made_by_id),
        "total": sum(len(ids) for _key, ids in chosen) if is_own else 0,
        "shown": [(line, url_for(line.kind, "detail", line.record.pk)) for line in shown],
        "foretold": changesets.foretold(made, chosen, r.actor) if may_undo and chosen else None,
        "undone": undone,
        "run": run,
        "url_of": lambda kind, record: url_for(kind, "detail", record.pk),
    }
    return render_page(request, "bulk/changes.html", context)


@require_POST
def change_set_undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes a change set back, or with `some` the records `only`: at once where it is small, else the page of the run
    says how far it is. One is back on the list that the change was begun from."""
    r: Any = request
    ids = {UUID(one) for one in request.POST.getlist("only") if access.is_uuid(one)}
    only = ids if "some" in request.POST else None
    run = undo.undo_change_set(pk, acting=r.actor, only=only)
    if run.is_running or run.refused:
        return hx_redirect(request, path_to("bulk_run", run.pk))
    again = path_to("change_set_undo", run.change_set_id) if run.changed else ""
    text = _("Undone. %(result)s") % {"result": bulk.result_text(run)}
    messages.success(request, text, extra_tags=f"undo={again}" if again else "")
    if not run.record_type or only is not None:
        return hx_redirect(request, path_to("change_set", pk))
    return hx_redirect(request, way_back(type_of(run.record_type, r.actor), run.came_from, r.actor))
