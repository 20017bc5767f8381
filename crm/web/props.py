"""The fields of a record's page: each shows its value and, for those who may, turns into a form where it stands.

Put together in Python like the cells of a list: a page has thirty, and a macro call costs ten times an f-string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from markupsafe import Markup, escape

from crm.lib.phones import readable_phone
from crm.records.actions import editable_fields
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor
from crm.web import formats

Tags = Mapping[UUID, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Prop:
    """One field as a page shows it: `value` goes into the <dd>."""

    key: str
    label: str
    value: Markup


def props(
    record_type: RecordType, record: Any, keys: Iterable[str], actor: Actor, tags: Tags, *, may_write: bool
) -> list[Prop]:
    """The fields of a record that the actor may see, in the order of `keys`.

    Relations that a field shows must be joined (`relations`): what is not loaded may not be the actor's to see.
    """
    by_key = {field.key: field for field in record_type.fields_for(actor.role)}
    editable = {field.key for field in editable_fields(record_type, actor)} if may_write else set()
    return [
        Prop(key, str(by_key[key].label), prop_value(record_type, record, by_key[key], tags, may_edit=key in editable))
        for key in keys
        if key in by_key
    ]


def prop_value(
    record_type: RecordType, record: Any, field: Field, tags: Tags, *, may_edit: bool, focus: bool = False
) -> Markup:
    """The inside of a field's <dd>: its value, as a button that opens the form where the actor may change it.

    `focus` puts the cursor there when it comes in place of its form.
    """
    shown = value_html(record, field, tags)
    if not may_edit:
        empty = "" if shown else " data-empty"
        return Markup(f'<span class="prop"{empty}>{shown or "—"}</span>')  # noqa: S704 -- escaped by value_html
    address = reverse("record_field", args=[record_type.key, record.pk, field.key])
    # A record is chosen in a dialog, which has room for a search; everything else is edited in place.
    target = 'hx-target="#dialog"' if field.type == FieldType.LOOKUP else 'hx-target="closest dd" hx-swap="innerHTML"'
    edit = escape(_("Edit %(field)s:") % {"field": field.label})
    empty_text = escape(_("Set %(field)s") % {"field": str(field.label).lower()})
    flags = ("" if shown else " data-empty") + (" data-focus" if focus else "")
    return Markup(  # noqa: S704 -- every value above is escaped
        f'<button type="button" class="prop"{flags} hx-get="{address}?edit=1" {target}>'
        f'<span class="sr-only">{edit} </span>{shown or empty_text}</button>'
    )


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


def _related(record: Any, field: Field) -> str:
    texts = [_follow(record, path) for path in field.label_paths]
    name = " ".join(str(text) for text in texts if text)
    if not name:
        return ""
    is_person = field.type == FieldType.MEMBER
    kind = "avatar" if is_person else "avatar avatar-logo"
    initials = formats.initials(name) if is_person else name[:1].upper()
    tone = formats.tone_for(getattr(record, field.column))
    return (
        f'<span class="{kind} avatar-xs" data-tone="{tone}" data-ini="{escape(initials)}" aria-hidden="true"></span>'
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
