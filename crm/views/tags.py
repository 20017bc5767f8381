"""The organisation's tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm import access
from crm.actions import tag_setup
from crm.actions.tag_setup import MERGING, TagTaken
from crm.forms.tags import MergeForm, TagForm
from crm.lib.errors import CrmError
from crm.models import Tag
from crm.records.registry import registry
from crm.records.tagged import usage
from crm.web.answers import done, refused
from crm.web.formats import number
from crm.web.guards import tag_managers_only
from crm.web.htmx import hx_redirect, render_page
from crm.web.urls import path_to

LIST = "settings_tags"


@require_GET
@tag_managers_only
def tag_list(request: HttpRequest) -> HttpResponse:
    """The tags by name. How many records have them is asked for after they are shown: `counts` reads all records."""
    counted = "counts" in request.GET
    counts = usage() if counted else {}
    tags = sorted(Tag.objects.all(), key=lambda tag: tag.name.casefold())
    context = {
        "tags": [(tag, _used(counts.get(tag.pk, {})), MERGING in tag.custom) for tag in tags],
        "counted": counted,
    }
    return render_page(request, "settings/tags.html", context, block="rows")


def _used(counts: Mapping[str, int]) -> str:
    """How many records of each type have a tag, in words."""
    parts = [(t.label if counts[t.key] == 1 else t.label_plural, counts[t.key]) for t in registry if counts.get(t.key)]
    return " · ".join(f"{number(count)} {str(label).lower()}" for label, count in parts)


@require_http_methods(["GET", "POST"])
@tag_managers_only
def tag_new(request: HttpRequest) -> HttpResponse:
    """Makes a tag."""
    r: Any = request
    form = TagForm(request.POST if request.method == "POST" else None, initial={"tone": "blue"})
    if request.method == "POST" and form.is_valid():
        try:
            made = tag_setup.create_tag(**form.cleaned_data, acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("Tag %(name)s is there.") % {"name": made.name}, LIST)
    return _form_page(request, form, None, None)


@require_http_methods(["GET", "POST"])
@tag_managers_only
def tag_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Renames and recolours a tag. Where the name is another tag's, merging the two is offered."""
    r: Any = request
    tag = _tag(pk)
    form = TagForm(request.POST if request.method == "POST" else None, initial={"name": tag.name, "tone": tag.tone})
    taken = None
    if request.method == "POST" and form.is_valid():
        try:
            tag_setup.update_tag(pk, **form.cleaned_data, acting=r.actor)
        except TagTaken as error:
            taken = error.tag_id
            refused(form, error)
        except CrmError as error:
            refused(form, error)
        else:
            return done(request, _("The tag is saved."), LIST)
    return _form_page(request, form, tag, taken)


def _form_page(request: HttpRequest, form: forms.Form, tag: Tag | None, taken: UUID | None) -> HttpResponse:
    context = {"form": form, "tag": tag, "taken": taken}
    return render_page(request, "settings/tag.html", context, block="form", status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@tag_managers_only
def tag_merge(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Merges a tag into another one (`into`): all of its records have that one afterwards."""
    r: Any = request
    tag = _tag(pk)
    given = request.POST if request.method == "POST" else None
    form = MergeForm(given, initial={"into": request.GET.get("into", "")}, tag_id=tag.pk)
    if request.method == "POST" and form.is_valid():
        try:
            merged = tag_setup.merge_tags(pk, form.cleaned_data["into"], acting=r.actor)
        except CrmError as error:
            refused(form, error)
        else:
            text = _("The records of this tag are being merged. That goes on in the background.")
            if merged.is_done:
                text = ngettext(
                    "Merged; %(n)s record was changed.", "Merged; %(n)s records were changed.", merged.moved
                )
                text %= {"n": number(merged.moved)}
            return done(request, text, LIST)
    context = {"form": form, "tag": tag, "used": _used(usage().get(tag.pk, {}))}
    return render_page(request, "settings/tag_merge.html", context, block="form", status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@tag_managers_only
def tag_deletion(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks, with how many records have it, and deletes a tag; the list then offers to undo it."""
    r: Any = request
    if request.method == "POST":
        tag = tag_setup.delete_tag(pk, acting=r.actor)
        undo = path_to("tag_restoration", tag.pk)
        messages.success(request, _("Tag %(name)s was deleted.") % {"name": tag.name}, extra_tags=f"undo={undo}")
        return hx_redirect(request, LIST)
    tag = _tag(pk)
    context = {"tag": tag, "used": _used(usage().get(tag.pk, {}))}
    return render_page(request, "settings/tag_deletion.html", context, block="form")


@require_POST
@tag_managers_only
def tag_restoration(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes the deletion of a tag back."""
    r: Any = request
    tag = tag_setup.restore_tag(pk, acting=r.actor)
    return done(request, _("Tag %(name)s is back.") % {"name": tag.name}, LIST)


def _tag(pk: UUID) -> Tag:
    tag: Tag | None = Tag.objects.filter(pk=pk).first()
    if tag is None:
        raise access.absent(Tag)
    return tag
