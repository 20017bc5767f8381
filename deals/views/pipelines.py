"""Settings of pipelines and their stages, for managers and admins."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import access, rules
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.web.answers import done, refused, sent_data
from crm.web.htmx import render_page
from crm.web.urls import path_to
from deals import board, queries
from deals.actions import pipelines, stage_setup
from deals.enums import StageKind
from deals.forms import DeleteStageForm, PipelineForm, StageForm
from deals.models import Pipeline, Stage

View = Callable[..., HttpResponse]


def configurers_only(view: View) -> View:
    """That these pages exist is no secret, so the answer to others is Forbidden."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rules.may_configure(request.actor):
            raise Forbidden(_("Only managers and admins can set up pipelines and stages."))
        return view(request, *args, **kwargs)

    return guarded


def _page_of(pipeline_id: UUID) -> str:
    return f"{path_to('settings_pipelines')}?pipeline={pipeline_id}"


def _dialog(request: HttpRequest, form: Any, title: str, submit: str, back: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, "submit": submit, "back": back, "danger": False, "text": "", **more}
    status = 422 if form.errors else 200
    return render_page(request, "deals/setup_form.html", context, block="form", status=status)


@require_GET
@configurers_only
def setup(request: HttpRequest) -> HttpResponse:
    """The stages of a pipeline, by default the default one."""
    found = queries.pipelines()
    pipeline = board.chosen(found, request.GET.get("pipeline", ""))
    stages = queries.stages_with_counts(pipeline.pk) if pipeline else []
    context = {
        "pipeline": pipeline,
        "pipelines": found,
        "open_stages": [s for s in stages if s.kind == StageKind.OPEN],
        "end_stages": [s for s in stages if s.kind != StageKind.OPEN],
        "tones": stage_setup.TONES,
    }
    return render_page(request, "deals/setup.html", context, block="settings")


@require_http_methods(["GET", "POST"])
@configurers_only
def pipeline_new(request: HttpRequest) -> HttpResponse:
    """Adds a pipeline with the usual stages."""
    r: Any = request
    form = PipelineForm(request.POST or None)
    del form.fields["is_default"]
    if request.method == "POST" and form.is_valid():
        try:
            made = pipelines.create_pipeline(form.cleaned_data["name"], acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("Pipeline added"), _page_of(made.pk))
    return _dialog(request, form, _("New pipeline"), _("Add pipeline"), path_to("settings_pipelines"))


@require_http_methods(["GET", "POST"])
@configurers_only
def pipeline_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Renames a pipeline, makes it the default one."""
    r: Any = request
    pipeline = _visible(queries.pipelines(), pk, Pipeline)
    form = PipelineForm(request.POST or None, initial={"name": pipeline.name, "is_default": pipeline.is_default})
    if pipeline.is_default:
        del form.fields["is_default"]
    if request.method == "POST" and form.is_valid():
        try:
            pipelines.update_pipeline(pk, acting=r.actor, **form.cleaned_data)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("Pipeline saved"), _page_of(pk))
    return _dialog(request, form, _("Edit pipeline"), _("Save"), _page_of(pk))


def _visible(rows: list[Any], pk: UUID, model: Any) -> Any:
    found = next((row for row in rows if row.pk == pk), None)
    if found is None:
        raise access.absent(model)
    return found


@require_POST
@configurers_only
def pipeline_deletion(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Deletes an empty pipeline."""
    r: Any = request
    pipelines.delete_pipeline(pk, acting=r.actor)
    return done(request, _("Pipeline deleted"), "settings_pipelines")


@require_http_methods(["PUT"])
@configurers_only
def stage_order(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts the open stages into the order of the ids `stage`."""
    r: Any = request
    stage_setup.reorder_stages(pk, sent_data(request).getlist("stage"), acting=r.actor)
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@configurers_only
def stage_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Adds a stage to a pipeline."""
    r: Any = request
    _visible(queries.pipelines(), pk, Pipeline)
    form = StageForm(request.POST or None, initial={"kind": StageKind.OPEN, "tone": "gray", "rot_days": 0})
    if request.method == "POST" and form.is_valid():
        try:
            stage_setup.create_stage(pk, form.cleaned_data, acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("Stage added"), _page_of(pk))
    return _dialog(request, form, _("New stage"), _("Add stage"), _page_of(pk))


@require_http_methods(["GET", "POST", "PATCH"])
@configurers_only
def stage_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form of a stage; PATCH changes the single fields that are sent."""
    r: Any = request
    stage = queries.stage(pk)
    if request.method == "PATCH":
        return _patch(request, stage)
    form = StageForm(request.POST or None, initial={key: getattr(stage, key) for key in StageForm.base_fields})
    if request.method == "POST" and form.is_valid():
        try:
            stage_setup.update_stage(pk, form.cleaned_data, acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("Stage saved"), _page_of(stage.pipeline_id))
    return _dialog(request, form, _("Edit stage"), _("Save"), _page_of(stage.pipeline_id))


def _patch(request: Any, stage: Stage) -> HttpResponse:
    sent = sent_data(request)
    initial = {key: getattr(stage, key) for key in StageForm.base_fields}
    form = StageForm({**initial, **{key: sent[key] for key in sent if key in initial}})
    if not form.is_valid():
        raise Invalid(fields={name: str(texts[0]) for name, texts in form.errors.items()})
    stage_setup.update_stage(stage.pk, {k: form.cleaned_data[k] for k in sent if k in initial}, acting=request.actor)
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@configurers_only
def stage_deletion(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Deletes a stage, after its deals have got another one."""
    r: Any = request
    stage = queries.stage(pk)
    stages = queries.stages_with_counts(stage.pipeline_id)
    count = next((s.deal_count for s in stages if s.pk == stage.pk), 0)
    targets = [(str(s.pk), s.name) for s in stages if s.kind == stage.kind and s.pk != stage.pk]
    form = DeleteStageForm(request.POST if request.method == "POST" else None, targets=targets if count else [])
    if request.method == "POST" and form.is_valid():
        try:
            stage_setup.delete_stage(pk, move_to=form.cleaned_data.get("move_to") or None, acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("%(stage)s deleted") % {"stage": stage.name}, _page_of(stage.pipeline_id))
    text = _("It holds no deals.")
    if count:
        text = _("It holds %(count)d deals, closed ones and the recycle bin's included.") % {"count": count}
    return _dialog(
        request,
        form,
        _("Delete %(stage)s") % {"stage": stage.name},
        _("Delete stage"),
        _page_of(stage.pipeline_id),
        danger=True,
        text=text,
    )
