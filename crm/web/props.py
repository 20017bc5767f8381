"""The fields of a record's page: each shows its value and, for those who may, turns into a form where it stands.

Put together in Python like the cells of a list: a page has thirty, and a macro call costs ten times an f-string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _
from markupsafe import Markup, escape

from crm.lib.phones import readable_phone
from crm.records import showing, stored
from crm.records.actions import editable_fields
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor
from crm.web import formats
from crm.web.urls import path_to

Tags = Mapping[UUID, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Prop:
    """One field as a page shows it: `value` goes into the <dd>."""

    key: str
    label: str
    value: Markup


class Props:
    """Makes the fields of one record. Relations that they show must be joined (`relations`): what is not loaded may not
    be the actor's to see."""

    def __init__(self, record_type: RecordType, record: Any, actor: Actor, tags: Tags, *, may_write: bool) -> None:
        self._record, self._tags = record, tags
        self._own = showing.own_values(record_type, record, actor)
        self._own_fields = showing.own_fields(record_type, actor)
        self._names = showing.names_for(self._own_fields, [self._own])
        self._fields = {field.key: field for field in record_type.fields_for(actor.role)}
        self._editable = {field.key for field in editable_fields(record_type, actor)} if may_write else set()
        self._language = translation.get_language() or ""
        # One address is worked out, the others differ in their last part only.
        self._base = path_to("record_field", record_type.key, record.pk, "x")[: -len("x/")]

    def of(self, *keys: str) -> list[Prop]:
        """The fields that the actor may see, in the order of `keys`."""
        known = (self._fields[key] for key in keys if key in self._fields)
        return [Prop(field.key, str(field.label), self.value(field)) for field in known]

    def own(self) -> list[tuple[str, list[Prop]]]:
        """The organisation's own fields, by the heading they stand under, in order."""
        grouped: dict[str, list[Prop]] = {}
        for field in self._own_fields:
            prop = Prop(field.key, str(field.label), self.value(field))
            grouped.setdefault(field.group or _("More about this"), []).append(prop)
        return list(grouped.items())

    def value(self, field: Field, *, focus: bool = False) -> Markup:
        """The inside of a field's <dd>: its value, as a button that opens the form where the actor may change it.

        `focus` puts the cursor there when it comes in place of its form.
        """
        shown = (
            own_html(field, self._own.get(field.key), self._record.custom, self._names)
            if field.custom
            else value_html(self._record, field, self._tags)
        )
        if field.key not in self._editable:
            empty = "" if shown else " data-empty"
            return Markup(f'<span class="prop"{empty}>{shown or "—"}</span>')  # noqa: S704 -- escaped by value_html
        edit, empty_text = _words_of(str(field.label), self._language)
        flags = ("" if shown else " data-empty") + (" data-focus" if focus else "")
        # A record is chosen in a dialog, which has room for a search; everything else is edited in place.
        dialog = field.type == FieldType.LOOKUP
        target = 'hx-target="#dialog"' if dialog else 'hx-target="closest dd" hx-swap="innerHTML"'
        return Markup(  # noqa: S704 -- every value above is escaped
            f'<button type="button" class="prop"{flags} hx-get="{self._base}{field.key}/?edit=1" {target}>'
            f'<span class="sr-only">{edit} </span>{shown or empty_text}</button>'
        )


@lru_cache(maxsize=2048)
def _words_of(label: str, _language: str) -> tuple[str, str]:
    """What a field's button is called, and what it shows while the field is empty."""
    edit, empty = _("Edit %(field)s:") % {"field": label}, _("Set %(field)s") % {"field": label.lower()}
    return str(escape(edit)), str(escape(empty))


def value_html(record: Any, field: Field, tags: Tags) -> str:
    """A value as escaped markup; "" for an empty one."""
    if field.type == FieldType.TAGS:
        found = [tags[tag] for tag in getattr(record, field.column) or () if tag in tags]
        return "".join(f'<span class="badge" data-tone="{tone}">{escape(name)}</span>' for name, tone in found)
    if field.type in (FieldType.MEMBER, FieldType.LOOKUP):
        return _related(record, field)
    value = getattr(record, field.column)
    if value is None or value == "":
        return ""
    if field.type == FieldType.CHOICE:
        label = dict(field.options()).get(str(value), str(value))
        tone = (field.tones or {}).get(str(value))
        if tone is None:
            return _cut(label)
        return f'<span class="badge" data-tone="{tone}"><i class="dot"></i>{escape(label)}</span>'
    if field.type == FieldType.MONEY:
        return _cut(formats.money(value, getattr(record, field.currency_path) or "EUR"))
    if field.type == FieldType.LONG_TEXT:
        return f'<span class="pre">{escape(value)}</span>'
    return _cut(_WORDS.get(field.type, str)(value))


def own_html(field: Field, value: Any, values: Mapping[str, Any], names: Mapping[UUID, str]) -> str:
    """A custom field's value as escaped markup; "" for an empty one. `values` is the record's `custom`."""
    if value is None or value == "":
        return ""
    kind = field.shown_as
    if kind in (FieldType.MEMBER, FieldType.LOOKUP):
        return _named(kind, value, names.get(value, ""))
    if kind in (FieldType.CHOICE, FieldType.MULTI_CHOICE):
        labels, tones = dict(field.options()), field.tones if isinstance(field.tones, Mapping) else {}
        return "".join(
            f'<span class="badge" data-tone="{tones.get(one, "gray")}">{escape(labels.get(one, one))}</span>'
            for one in (value if isinstance(value, list) else [value])
        )
    if kind == FieldType.MONEY:
        return _cut(formats.money(value, stored.currency_of(field, values)))
    if kind == FieldType.LONG_TEXT:
        return f'<span class="pre">{escape(value)}</span>'
    return _cut(_WORDS.get(kind, str)(value))


def _related(record: Any, field: Field) -> str:
    texts = [_follow(record, path) for path in field.label_paths]
    name = " ".join(str(text) for text in texts if text)
    return _named(field.type, getattr(record, field.column), name)


def _named(kind: FieldType, pk: Any, name: str) -> str:
    if not name:
        return ""
    is_person = kind == FieldType.MEMBER
    look = "avatar" if is_person else "avatar avatar-logo"
    initials = formats.initials(name) if is_person else name[:1].upper()
    tone = formats.tone_for(pk)
    return (
        f'<span class="{look} avatar-xs" data-tone="{tone}" data-ini="{escape(initials)}" aria-hidden="true"></span>'
        f"{_cut(name)}"
    )


def _follow(record: Any, path: str) -> Any:
    """The value at a path over joined relations; None where a relation is empty or not the reader's to see."""
    for name in path.split("__"):
        if record is None:
            return None
        record = getattr(record, name)
    return record


def _cut(text: Any) -> str:
    return f'<span class="truncate">{escape(text)}</span>'


def _yes_or_no(value: bool) -> str:
    return _("Yes") if value else _("No")


_WORDS: dict[FieldType, Callable[[Any], str]] = {
    FieldType.CHECKBOX: _yes_or_no,
    FieldType.NUMBER: formats.number,
    FieldType.PHONE: readable_phone,
    FieldType.PERCENT: lambda value: f"{formats.number(value)} %",
    FieldType.DATE: formats.date_full,
    FieldType.DATETIME: formats.date_time,
}


def relations(record_type: RecordType, keys: Iterable[str]) -> list[str]:
    """The relations to join for showing some fields: what crm.access.get_visible takes."""
    wanted = set(keys)
    paths = (path for field in record_type.fields if field.key in wanted for path in field.label_paths)
    return sorted({path.rpartition("__")[0] for path in paths if "__" in path})
