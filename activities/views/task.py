"""A task's form, and its completion as a resource: put when it is done, deleted when it is to be done again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from activities.actions.tasks import complete_task, create_task, reopen_task, update_task
from activities.forms import TaskForm, task_initial
from activities.models import Task
from activities.timelines import MODELS
from activities.views.timeline import page_of
from crm import access, queries, rules
from crm.actions.tags import resolve_tags
from crm.lib.errors import CrmError, Forbidden, Invalid
from crm.records.limits import called
from crm.tenancy.context import Actor
from crm.web.answers import refused
from crm.web.htmx import close_dialog, hx_redirect, is_partial, render_page, toast
from crm.web.urls import path_to


@require_http_methods(["GET", "POST"])
def task_new(request: HttpRequest) -> HttpResponse:
    """The form for a new task, about the `deal`, `contact` or `account` that the address names, or one chosen in it."""
    r: Any = request
    if not rules.may_edit_anything(r.actor):
        raise Forbidden(_("You can view this organisation's tasks, but not add any."))
    kind, record = _about(request)
    form = TaskForm(request.POST or None, actor=r.actor, currency=r.organization.base_currency, about=record)
    if request.method == "POST" and form.is_valid():
        about = {kind: record.pk} if record is not None else {}
        try:
            made = create_task({**_values(form, r.actor), **about}, acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            back = page_of(kind, record.pk) if record is not None else _page(made, r.actor)
            return _done(request, back, _("%(task)s added") % {"task": made.title}, stay=record is not None)
    back = page_of(kind, record.pk) if record is not None else path_to("task_list")
    return _form_page(request, form, None, record, back)


def _about(request: HttpRequest) -> tuple[str, Any]:
    """The record that the address names, as (type, record); ("", None) for none. Raises NotFound."""
    r: Any = request
    for kind, model in MODELS.items():
        if request.GET.get(kind):
            return kind, access.get_visible(model, request.GET[kind], r.actor)
    return "", None


@require_http_methods(["GET", "POST"])
def task_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form of a task; refused when the task changed since the form was opened."""
    r: Any = request
    task = access.get_visible(Task, pk, r.actor)
    if not access.may_write(task, r.actor):
        raise access.absent(Task)
    known = queries.tags() if task.tags else {}
    initial = task_initial(task, [known[tag][0] for tag in task.tags if tag in known])
    form = TaskForm(
        request.POST or None, actor=r.actor, currency=r.organization.base_currency, record=task, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        version = request.POST.get("version", "")
        if not version.isdigit() or len(version) > 9:
            raise Invalid(_("The form is incomplete. Reload the page and try again."))
        try:
            changed = update_task(pk, _values(form, r.actor), acting=r.actor, version=int(version))
        except CrmError as error:
            refused(form, error)
        else:
            return _done(request, _page(changed, r.actor), _("Saved"), stay=_sees(changed, r.actor))
    return _form_page(request, form, task, None, path_to("task_detail", pk))


def _values(form: TaskForm, actor: Actor) -> dict[str, Any]:
    values = form.values()
    if "tags" in values:
        values["tags"] = resolve_tags([values["tags"]], acting=actor)[0]
    return values


def _sees(task: Task, actor: Actor) -> bool:
    return access.visible(Task, actor).filter(pk=task.pk).exists()


def _page(task: Task, actor: Actor) -> str:
    """The task's page; the list where the actor has just given it out of their own sight."""
    return path_to("task_detail", task.pk) if _sees(task, actor) else path_to("task_list")


def _done(request: HttpRequest, to: str, text: str, *, stay: bool) -> HttpResponse:
    """Over an open page the dialog closes, and the page hears of it; else on to another page."""
    if stay and is_partial(request):
        return toast(trigger_client_event(close_dialog(), "recordChanged"), text)
    messages.success(request, text)
    return hx_redirect(request, to)


def _form_page(request: HttpRequest, form: TaskForm, task: Task | None, record: Any, back: str) -> HttpResponse:
    r: Any = request
    name = called(record, record._meta.model_name, r.actor) if record is not None else ""
    context = {"form": form, "task": task, "name": name, "action": request.get_full_path(), "back": back}
    return render_page(request, "activities/task_form.html", context, block="form", status=422 if form.errors else 200)


@require_http_methods(["PUT", "DELETE", "POST"])
def task_completion(request: HttpRequest, pk: UUID) -> HttpResponse:
    """PUT says that a task is done, DELETE that it is to be done again; POST is for Undo: it does what `undo` names."""
    r: Any = request
    undo = request.GET.get("undo", "")
    if request.method == "DELETE" or (request.method == "POST" and undo == "done"):
        task, text, back = reopen_task(pk, acting=r.actor), _("%(task)s is to be done again"), "open"
    else:
        task, text, back = complete_task(pk, acting=r.actor), _("%(task)s is done"), "done"
    text = text % {"task": task.title}
    address = f"{path_to('task_completion', pk)}?undo={back}"
    if is_partial(request):
        response = trigger_client_event(HttpResponse(status=204), "recordChanged")
        return toast(response, text, undo=address if request.method != "POST" else None)
    messages.success(request, text)
    return hx_redirect(request, path_to("task_detail", pk))
