"""The cells of a list, by field type. Put together in Python: a list has hundreds, and a macro call costs ten times
what an f-string does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from html import escape as escape_text
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch
from django.utils.translation import gettext as _
from markupsafe import Markup

from crm.records.registry import FALLBACK, SHORT_TEXTS, Field, FieldType, RecordType
from crm.web import formats
from crm.web.templating import SPECIAL
from crm.web.urls import path_to

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """What ids in the cells of a list are called: members and records by id, tags by id as (name, tone)."""

    names: dict[UUID, str] = field(default_factory=dict)
    tags: dict[UUID, tuple[str, str]] = field(default_factory=dict)


Render = Callable[[Row], str]
EMPTY = '<span class="muted">—</span>'
# Stands in for an id when a URL is reversed once per list, not once per row.
HOLE = UUID("00000000-0000-7000-8000-000000000000")


def escape(value: object) -> str:
    """HTML-escaped text, as a plain string: making a Markup of each of hundreds of values would cost more."""
    text = str(value)
    return escape_text(text) if SPECIAL.search(text) else text


def record_name(record_type: RecordType, row: Row) -> str:
    """The name of a record, or what stands in for it."""
    name = " ".join([str(row[path]) for path in record_type.name_paths if row[path]])
    return name or str(row.get(record_type.name_fallback) or "")[:FALLBACK] or _("(no name)")


def url_of(url_name: str, *args: str) -> Callable[[Any], str]:
    """A function from a record's id to its page."""
    before, _hole, after = path_to(url_name, *args, HOLE).partition(str(HOLE))
    return lambda pk: f"{before}{pk}{after}"


def _soft(text: str) -> str:
    return f'<span class="soft">{escape(text)}</span>'


def page_of(record_type: RecordType) -> Callable[[Any], str]:
    """A function from a record's id to its page: the type's own, or the generic one."""
    own = record_type.url_names.get("detail")
    if own:
        try:
            return url_of(own)
        except NoReverseMatch:
            pass
    return url_of("record_detail", record_type.key)


def _text(field: Field) -> Render:
    return lambda row: f'<span class="soft">{escape(row[field.column])}</span>' if row[field.column] else EMPTY


def _number(field: Field) -> Render:
    unit = " %" if field.type == FieldType.PERCENT else ""
    return lambda row: EMPTY if row[field.column] is None else f"{formats.number(row[field.column])}{unit}"


def _money(field: Field) -> Render:
    writer = cache(formats.money_writer)
    column, of = field.column, field.currency_path

    def render(row: Row) -> str:
        amount = row[column]
        if amount is None:
            return EMPTY
        whole, exact = writer(row[of])(amount)
        return f'<span title="{escape(exact)}">{escape(whole)}</span>'

    return render


def _date(field: Field) -> Render:
    reader = formats.Reader()
    return lambda row: _soft(reader.date(row[field.column])) if row[field.column] else EMPTY


def _datetime(field: Field) -> Render:
    reader, column = formats.Reader(), field.column

    def render(row: Row) -> str:
        moment = row[column]
        if moment is None:
            return EMPTY
        exact = escape(reader.exact(moment))
        return f'<time class="soft" datetime="{moment.isoformat()}" title="{exact}">{reader.ago(moment)}</time>'

    return render


def _deadline(field: Field) -> Render:
    reader, column = formats.Reader(), field.column
    assert field.deadline is not None
    met, timed = field.deadline.met, field.deadline.timed

    def render(row: Row) -> str:
        moment = row[column]
        if moment is None:
            return EMPTY
        text = reader.date(moment) + (f" {formats.clock(moment)}" if row[timed] else "")
        look = "danger" if row[met] is None and moment < reader.now else "soft"
        exact = escape(reader.exact(moment) if row[timed] else reader.exact(reader.local(moment).date()))
        return f'<time class="{look}" datetime="{moment.isoformat()}" title="{exact}">{escape(text)}</time>'

    return render


def _checkbox(field: Field) -> Render:
    yes = f'<span class="soft">{escape(_("Yes"))}</span>'
    return lambda row: yes if row[field.column] else EMPTY


def _choice(field: Field) -> Render:
    labels = dict(field.options())
    tones = field.tones() if callable(field.tones) else field.tones or {}
    made = {
        value: f'<span class="badge" data-tone="{tones.get(value, "gray")}"><i class="dot"></i>{escape(label)}</span>'
        for value, label in labels.items()
    }
    return lambda row: (
        made.get(str(row[field.column])) or (str(escape(row[field.column])) if row[field.column] else EMPTY)
    )


def _choices(field: Field) -> Render:
    one = _choice(replace(field, type=FieldType.CHOICE))
    return lambda row: " ".join(one({field.column: value}) for value in row[field.column] or ()) or EMPTY


def _member(field: Field, labels: Labels) -> Render:
    def cell(pk: UUID, name: str) -> str:
        tone, initials = formats.tone_for(pk), escape(formats.initials(name))
        return (
            f'<span class="row"><span class="avatar avatar-sm" data-tone="{tone}" aria-hidden="true" '
            f'data-ini="{initials}"></span><span class="soft">{escape(name)}</span></span>'
        )

    made: dict[UUID, str] = {}

    def render(row: Row) -> str:
        pk = row[field.column]
        if pk not in made:
            made[pk] = cell(pk, labels.names[pk]) if labels.names.get(pk) else EMPTY
        return made[pk]

    return render


def _lookup(field: Field, labels: Labels) -> Render:
    page = url_of(field.url_name) if field.url_name else None

    def render(row: Row) -> str:
        name = labels.names.get(row[field.column])
        if not name:
            return EMPTY
        tone, initial = formats.tone_for(row[field.column]), escape(name[:1].upper())
        look = f'class="avatar avatar-logo avatar-sm" data-tone="{tone}" data-ini="{initial}"'
        logo = f'<span {look} aria-hidden="true"></span>'
        if page is None:
            return f'<span class="row soft">{logo}{escape(name)}</span>'
        return f'<a class="row soft" href="{page(row[field.column])}">{logo}{escape(name)}</a>'

    return render


def _link(field: Field) -> Render:
    return lambda row: f'<span class="soft truncate">{escape(row[field.column])}</span>' if row[field.column] else EMPTY


def _tags(field: Field, labels: Labels) -> Render:
    made = {
        pk: f'<span class="badge" data-tone="{tone}">{escape(name)}</span> ' for pk, (name, tone) in labels.tags.items()
    }
    return lambda row: "".join(made.get(tag, "") for tag in row[field.column] or ()) or EMPTY


_RENDERERS: dict[FieldType, Callable[[Field], Render]] = {
    FieldType.NUMBER: _number,
    FieldType.PERCENT: _number,
    FieldType.MONEY: _money,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.CHECKBOX: _checkbox,
    FieldType.CHOICE: _choice,
    FieldType.MULTI_CHOICE: _choices,
    FieldType.EMAIL: _link,
    FieldType.PHONE: _link,
    FieldType.URL: _link,
}
NUMERIC = frozenset({FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY})


def renderer(field: Field, labels: Labels) -> Render:
    """The function that shows a field's value of one row as HTML, every part of it escaped."""
    if field.type == FieldType.TAGS:
        return _tags(field, labels)
    if field.type == FieldType.MEMBER:
        return _member(field, labels)
    if field.type == FieldType.LOOKUP:
        return _lookup(field, labels)
    if field.deadline:
        return _deadline(field)
    return _RENDERERS.get(field.shown_as, _text)(field)


def _plain(field: Field, labels: Labels) -> Callable[[Row], str]:
    """The function that gives a field's value of one row as text."""
    if field.type in (FieldType.MEMBER, FieldType.LOOKUP):
        return lambda row: labels.names.get(row[field.column], "")
    if field.type in SHORT_TEXTS:
        return lambda row: str(row[field.column] or "")
    render = renderer(field, labels)

    def text(row: Row) -> str:
        shown = Markup(render(row)).striptags()  # noqa: S704 -- escaped by the renderers
        return "" if shown == "—" else shown

    return text


def table_body(
    record_type: RecordType,
    columns: list[Field],
    rows: list[Row],
    page: Callable[[Any], str],
    labels: Labels,
    edited: Mapping[str, str] | None = None,
    *,
    picks: bool = False,
    box: Callable[[Row], str] | None = None,
) -> Markup:
    """The rows of a list's table. `edited` gives the classes of the cells that are edited in place, by field key; with
    `picks` each row has a box to choose it by; `box` makes what stands before each name."""
    cells = [(renderer(field, labels), _cell_start(field, (edited or {}).get(field.key, ""))) for field in columns]
    shown = {field.key: field for field in columns}
    under = [_plain(shown[key], labels) for key in record_type.subtitle if key in shown]
    avatar = "avatar avatar-logo" if record_type.icon == "building-2" else "avatar"
    select = _("Select %(name)s")  # looked up once: a list has many rows
    pick_box = '<td class="pick"><input type="checkbox" class="check" name="bulk-id" value="%s" aria-label="%s"></td>'
    before, after = (lambda row: f'<span class="row">{box(row)}', "</span>") if box else (lambda _row: "", "")
    out: list[str] = []
    for row in rows:
        name, pk = record_name(record_type, row), str(row["id"])
        pick = pick_box % (pk, escape(select % {"name": name})) if picks else ""
        sub = " · ".join(filter(None, [text(row) for text in under]))
        out.append(
            f'<tr data-id="{pk}">{pick}<td class="first">{before(row)}<a class="row" href="{page(pk)}">'
            f'<span class="{avatar}" data-tone="{formats.tone_for(pk)}" aria-hidden="true" '
            f'data-ini="{escape(formats.initials(name))}"></span><span class="truncate">{escape(name)}'
            + (f'<span class="cell-sub phone-only">{escape(sub)}</span>' if sub else "")
            + f"</span></a>{after}</td>"
        )
        out.extend([f"{start}{render(row)}</td>" for render, start in cells])
        out.append("</tr>")
    return Markup("".join(out))  # noqa: S704 -- every value above is escaped


def _cell_start(field: Field, classes: str) -> str:
    classes = f"{classes} num".strip() if field.type in NUMERIC else classes
    return f'<td data-col="{field.key}" class="{classes}">' if classes else f'<td data-col="{field.key}">'
