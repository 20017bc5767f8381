"""Search as a page, and the command palette: hits while somebody types, and everything that can be done by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from markupsafe import Markup

from crm import access, rules
from crm.lib.errors import NotFound
from crm.lib.phones import readable_phone
from crm.records import schema
from crm.records.limits import called
from crm.records.registry import RecordType, registry
from crm.records.search import Hit, Tier, search, search_groups, search_quickly, shown_records
from crm.tenancy.context import Actor
from crm.views.records import url_for
from crm.web.commands import Command, commands
from crm.web.context import Shell
from crm.web.highlight import has_words, mark
from crm.web.htmx import render_page
from crm.web.nav import Entry, nav
from crm.web.urls import path_to

EACH = 10  # hits of one type on the page
RECENT = 6  # records opened last that the palette offers
COMMANDS_ONLY = ">"
NO_TEXT = Markup()


@dataclass(frozen=True, slots=True)
class Option:
    """A line of the palette. `how` is a Command's; `look` says how its mark is drawn: "avatar", "logo" or an icon."""

    label: Markup
    url: str
    detail: Markup = NO_TEXT
    kind: str = ""
    keys: str = ""
    icon: str = ""
    look: str = "icon"
    tone_key: str = ""
    how: str = "page"
    values: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The label as plain text."""
        return self.label.striptags()

    @property
    def attrs(self) -> dict[str, Any]:
        """What htmx and palette.js read."""
        if self.how == "dialog":
            return {"hx-get": self.url, "hx-target": "#dialog"}
        if self.how == "copy":
            return {"data-copy": True}
        if self.how == "page":
            return {}
        return {f"hx-{self.how}": self.url, "hx-swap": "none", "hx-vals": orjson.dumps(self.values).decode()}


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of the palette under one heading."""

    title: str
    options: list[Option]


@require_GET
def results(request: HttpRequest) -> HttpResponse:
    """What `q` finds, by type. A list of a type holds all of its hits."""
    r: Any = request
    sought = request.GET.get("q", "").strip()
    groups = [
        {
            "title": group.source.label_plural,
            "options": [_hit(hit, sought) for hit in group.hits],
            "more_url": _list_url(group.source.key, sought) if group.more else "",
        }
        for group in search_groups(sought, r.actor, each=EACH)
    ]
    return render_page(request, "search/results.html", {"q": sought, "groups": groups}, block="results")


@require_GET
def palette(request: HttpRequest) -> HttpResponse:
    """The palette's lines for what is typed (`q`): hits, what can be done with the `record` that is open, forms for new
    records, pages. Without a text: the `recent` records instead of hits. Records are named as "contact/<id>".

    The first answer holds what is found at once; where that is little, the palette asks again for all (`deep`).
    """
    r: Any = request
    text = request.GET.get("q", "").strip()
    sought = text.removeprefix(COMMANDS_ONLY).strip()
    sections, further = [], False
    if not text:
        sections.append(Section(_("Recent"), _recent(request)))
    elif not text.startswith(COMMANDS_ONLY):
        deep = "deep" in request.GET
        hits, further = (search(sought, r.actor), False) if deep else search_quickly(sought, r.actor)
        sections.append(Section(_("Results"), _results(hits, sought)))
    record_title, done = _of_record(request)
    sections.append(Section(record_title, _named(done, sought)))
    shell = Shell(request)
    others = _types_apart(shell)
    create = [_create(entry) for entry in shell.create]
    if rules.may_edit_anything(r.actor):
        create += [_create_one(kind) for kind in others]
    sections.append(Section(_("Create"), _named(create, sought)))
    pages = [*shell.nav, *(entry for _group, entries in shell.settings for entry in entries)]
    jumps = [*map(_page, pages), *map(_list_of, others)]
    sections.append(Section(_("Go to"), _named(jumps, sought)))
    shown = [section for section in sections if section.options]
    return render_page(request, "search/palette.html", {"sections": shown, "q": sought, "further": further})


def _list_url(type_key: str, sought: str) -> str:
    """The list that holds all hits of a type; "" for what has none."""
    try:
        return url_for(registry.get(type_key), "list") + "?" + urlencode({"q": sought})
    except KeyError:
        return ""


def _results(hits: list[Hit], sought: str) -> list[Option]:
    """The hits, and the way to all of them."""
    every = f"{path_to('search')}?{urlencode({'q': sought})}"
    lines = [_hit(hit, sought) for hit in hits]
    return [*lines, Option(Markup.escape(_("Show all results")), every, icon="search")] if lines else []


def _hit(hit: Hit, sought: str) -> Option:
    shown = hit.shown
    named = hit.tier is Tier.SIMILAR or hit.told in shown.name or has_words(shown.name, sought)
    told = "" if named else readable_phone(hit.told)
    detail = mark(" · ".join(filter(None, [told, shown.detail])), sought)
    return Option(mark(shown.name, sought), shown.url, detail, str(hit.source.label), icon=hit.source.icon,
                  look=_look(hit.source.key), tone_key=str(hit.id))  # fmt: skip


def _look(type_key: str) -> str:
    """A type with an icon of people is drawn by initials, one of buildings by a logo."""
    icon = registry.get(type_key).icon if type_key in {kind.key for kind in registry} else ""
    return {"users": "avatar", "building-2": "logo"}.get(icon, "icon")


def _recent(request: HttpRequest) -> list[Option]:
    """The records that the browser remembers, as far as the member sees them now; without the one that is open."""
    r: Any = request
    named = [key for key in request.GET.getlist("recent") if key != request.GET.get("record")]
    wanted = [found for key in named[:20] if (found := _key(key, r.actor))]
    shown: dict[tuple[str, str], Option] = {}
    for record_type in {kind.key: kind for kind, _pk in wanted}.values():
        ids = [access.as_uuid(pk) for kind, pk in wanted if kind is record_type]
        for pk, one in shown_records(record_type, ids, r.actor).items():
            shown[record_type.key, str(pk)] = Option(
                Markup.escape(one.name), one.url, Markup.escape(one.detail), str(record_type.label),
                icon=record_type.icon, look=_look(record_type.key), tone_key=str(pk),
            )  # fmt: skip
    found = [shown[kind.key, pk] for kind, pk in wanted if (kind.key, pk) in shown]
    return found[:RECENT]


def _key(key: str, actor: Actor) -> tuple[RecordType, str] | None:
    """The type and id that "contact/<id>" names; None for nonsense, which a browser may have kept."""
    kind, _slash, pk = key.partition("/")
    try:
        return (schema.record_type(kind, actor), str(access.as_uuid(pk))) if access.is_uuid(pk) else None
    except KeyError:
        return None


def _of_record(request: HttpRequest) -> tuple[str, list[Option]]:
    """What can be done with the record that is open, and its name as the heading."""
    r: Any = request
    found = _key(request.GET.get("record", ""), r.actor)
    if found is None:
        return "", []
    record_type, pk = found
    try:
        record = access.get_visible(record_type.model, pk, r.actor)
    except NotFound:
        return "", []
    given = commands.of(record_type.key, request, record)
    return called(record, record_type.key, r.actor), [_command(command) for command in given]


def _command(command: Command) -> Option:
    return Option(Markup.escape(command.label), command.url, icon=command.icon, how=command.how,
                  values=dict(command.values))  # fmt: skip


def _types_apart(shell: Shell) -> list[RecordType]:
    """The types that no app put into the navigation: the registry has pages for them as well."""
    known = {entry.url_name for entry in (*nav.shown_to(""), *shell.nav)}
    return [kind for kind in registry if not known & kind.list_pages]


def _create_one(kind: RecordType) -> Option:
    label = _("New %(thing)s") % {"thing": str(kind.label).lower()}
    return Option(Markup.escape(label), url_for(kind, "new"), icon=kind.icon)


def _list_of(kind: RecordType) -> Option:
    return Option(Markup.escape(kind.label_plural), url_for(kind, "list"), icon=kind.icon)


def _create(entry: Entry) -> Option:
    return Option(Markup.escape(entry.label), path_to(entry.url_name), icon=entry.icon, how="dialog")


def _page(entry: Entry) -> Option:
    return Option(Markup.escape(entry.label), path_to(entry.url_name), icon=entry.icon, keys=entry.key.upper())


def _named(options: Iterable[Option], sought: str) -> list[Option]:
    """Those whose name has the words, or all where none are given."""
    return [option for option in options if has_words(option.label.unescape(), sought)]
