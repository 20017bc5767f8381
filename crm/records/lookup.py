"""Choosing another record: what a search finds, and the form field that holds the choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from markupsafe import Markup

from crm import access
from crm.records import schema
from crm.records.lists import Key, labels_of, search_q, value_paths
from crm.records.registry import Field, RecordType
from crm.tenancy.context import Actor
from crm.web import cells
from crm.web.urls import path_to

KEPT = "kept"  # stands for the record that a form began with, where the actor does not see it
SHOWN = 8  # records a search offers; more text finds fewer


@dataclass(frozen=True, slots=True)
class Option:
    """A record that can be chosen: its id, its name, and what tells it from others of that name."""

    id: str
    name: str
    detail: str = ""


def find_options(record_type: RecordType, text: str, actor: Actor, *, limit: int = SHOWN) -> list[Option]:
    """Records that the actor sees and that begin with the text; without one, those changed last."""
    rows = record_type.model._default_manager.filter(deleted_at__isnull=True)
    if text.strip():
        rows = rows.filter(search_q(record_type, text.strip()[:200], actor))
    paths = [*_paths(record_type, actor), "updated_at"]
    found = access.first_rows(rows, actor, order=("-updated_at", "-id"), limit=limit, paths=paths)
    return _options(record_type, found, actor)


def described(record_type: RecordType, rows: Any, actor: Actor) -> list[Option]:
    """Records of a queryset, with their names and what tells them apart."""
    return _options(record_type, rows.values(*_paths(record_type, actor)), actor)


def chosen_option(record_type: RecordType, pk: Any, actor: Actor) -> Option | None:
    """The record of an id, where the actor sees it."""
    if not pk or not access.is_uuid(pk):
        return None
    found = described(record_type, access.visible(record_type.model, actor).filter(pk=pk), actor)
    return found[0] if found else None


def _under(record_type: RecordType, actor: Actor) -> list[Field]:
    by_key = {field.key: field for field in record_type.fields_for(actor.role)}
    return [by_key[key] for key in record_type.subtitle if key in by_key]


def _paths(record_type: RecordType, actor: Actor) -> list[str]:
    return value_paths(record_type, _under(record_type, actor), Key("id"))


def _options(record_type: RecordType, rows: Any, actor: Actor) -> list[Option]:
    rows, under = list(rows), _under(record_type, actor)
    labels = labels_of(record_type, under, rows)
    renders = [cells.renderer(field, labels) for field in under]
    found = []
    for row in rows:
        texts = (Markup(render(row)).striptags() for render in renders)  # noqa: S704 -- escaped by the renderers
        detail = ", ".join(text for text in texts if text != "—")
        found.append(Option(str(row["id"]), cells.record_name(record_type, row), detail))
    return found


class LookupWidget(forms.Widget):
    """A search box above the records it found, one of which is chosen. Without script: those changed last."""

    template_name = "forms/lookup.html"
    use_fieldset = True

    def __init__(self, record_type: RecordType, actor: Actor, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.record_type, self.actor = record_type, actor
        self.kept: UUID | None = None  # what the record holds, whether the actor sees that or not

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        seen = chosen_option(self.record_type, value, self.actor)
        is_kept = seen is None and bool(value) and str(value) in (KEPT, str(self.kept))
        chosen = kept_option() if is_kept else seen
        recent = find_options(self.record_type, "", self.actor)
        context["widget"].update(
            options=with_chosen(recent, chosen),
            chosen=chosen.id if chosen else "",
            required=self.is_required,
            search=_("Search %(things)s") % {"things": str(self.record_type.label_plural).lower()},
            url=path_to("record_options", self.record_type.key),
        )
        return context

    def id_for_label(self, id_: str) -> str:
        return ""


def kept_option() -> Option:
    """The choice to leave a record's lookup as it is, where the actor does not see what it points at: left out, that
    would be taken off whenever somebody saves another field. It tells nothing of that record."""
    return Option(KEPT, _("(not visible to you)"))


def with_chosen(options: list[Option], chosen: Option | None) -> list[Option]:
    """The options with the chosen one in front, once."""
    if chosen is None:
        return options
    return [chosen, *(option for option in options if option.id != chosen.id)]


class LookupField(forms.Field):
    """Another record; cleans to its id, or None. Whether the actor sees it is checked by the action that gets it."""

    def __init__(self, target: str, actor: Actor, **kwargs: Any) -> None:
        kwargs["widget"] = LookupWidget(schema.record_type(target, actor), actor)
        super().__init__(**kwargs)

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        """Tells the widget what the record holds: an id. What an address asks for is text, and is no such thing."""
        present = form.get_initial_for_field(self, field_name)
        self.widget.kept = present if isinstance(present, UUID) else None
        return super().get_bound_field(form, field_name)

    def to_python(self, value: Any) -> UUID | None:
        if value in self.empty_values:
            return None
        if value == KEPT and self.widget.kept:
            return self.widget.kept
        if not access.is_uuid(value):
            raise forms.ValidationError(_("Choose one of the list."))
        return value if isinstance(value, UUID) else UUID(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(data or "") not in (str(initial or ""), KEPT)
