"""What a list's page shows beside its rows: the saved view it is, heads to sort by, groups, a board, the columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _
from markupsafe import Markup

from crm import access, queries, rules
from crm.lib.errors import NotFound
from crm.records import actions, boards, grouping, lists
from crm.records.cell import edit_classes
from crm.records.listquery import (
    BOARD,
    DENSITIES,
    NAME,
    SORTS,
    ListQuery,
    added,
    board_fields,
    flipped,
    group_fields,
    sorts_of,
)
from crm.records.loosekeys import TooLong, may_sort
from crm.records.registry import SHORT_TEXTS, Field, RecordType
from crm.views.bulkbar import bar_of
from crm.web import cells, checks, formats
from crm.web.htmx import render_page
from crm.web.urls import path_to

GROUP_ROWS = 25
HOLE = "-hole-"  # stands in an address for a word that is put there later
CARD_LINES = 4  # columns that a card of a board shows


def query_of(record_type: RecordType, request: Any) -> ListQuery:
    """The list of an address; of an address that says nothing, the member's default view. Raises as parse_query."""
    default = None if request.GET else queries.view_marks(request.member_marks).defaults.get(record_type.key)
    if default is not None:
        try:
            return lists.parse_query(record_type, QueryDict(f"view={default}"), request.actor)
        except NotFound:
            pass  # deleted, or not shared any more
    return lists.parse_query(record_type, request.GET, request.actor)


def part(request: Any, record_type: RecordType, query: ListQuery, columns: list[Field]) -> HttpResponse | None:
    """The part of a list that an address asks for by `block`; None for the whole page."""
    block, key = request.GET.get("block"), request.GET.get("key", "")
    if block == "row":
        return HttpResponse(_row(request, record_type, query, columns, key))
    if block == "rows" and query.group:
        return render_page(request, "records/group_rows.html", _group_rows(request, record_type, query, columns, key))
    if block == "sums" and query.group:
        groups = _groups(request, record_type, query, columns)
        return render_page(request, "records/_group_heads.html", {"groups": groups, "bar": None})
    if block == "cards" and query.layout == BOARD:
        return render_page(request, "records/cards.html", _more_cards(request, record_type, query, columns, key))
    if block == "columns":
        return render_page(request, "records/columns.html", _picker(record_type, query, request.actor))
    if block == "sorts":
        return render_page(request, "records/sorts.html", _order(record_type, query, request.actor))
    if block == "groups":
        return render_page(request, "records/groupings.html", _choices(record_type, query, request.actor))
    return None


def context(request: Any, record_type: RecordType, query: ListQuery, columns: list[Field]) -> dict[str, Any]:
    """What the template of a list needs beside its rows."""
    # A list has many addresses that differ in one word: they are made of one.
    sorted_by, shown_as = query.url(sort=HOLE), query.url(density=HOLE)
    found: dict[str, Any] = {
        "columns": [_head(record_type, column, query, sorted_by) for column in columns],
        "name_head": _name_head(record_type, query, sorted_by),
        "view": _view(request, query) if query.saved else None,
        "view_args": query.whole().url(),
        "densities": [(each, shown_as.replace(HOLE, each)) for each in DENSITIES],
        "board": None,
        "groups": None,
        "shown": 0,  # rows of the table, where it is one
    }
    if query.layout == BOARD:
        return found | {"board": _board(request, record_type, query, columns)}
    if query.group:
        groups = _groups(request, record_type, query, columns)
        return found | tools(request, record_type, query, more=True) | {"groups": groups}
    return found


def _view(request: Any, query: ListQuery) -> dict[str, Any]:
    """The saved view that is open, and what its reader may do with it."""
    view: Any = query.saved
    marks = queries.view_marks(request.member_marks)
    mine = view.owner_id == request.actor.member_id
    led = set() if mine else queries.led_teams(request.actor)
    shared = query.whole().url() if view.scope == "private" else query.url()
    return {
        "row": view,
        "changed": query.is_changed,
        "may_change": rules.may_change_view(request.actor, view.owner_id, view.scope, view.team_id, led),
        "is_default": marks.defaults.get(view.record_type) == view.pk,
        "is_pinned": view.pk in marks.pins,
        "reset": f"?view={view.pk}",
        "link": shared,
    }


def tools(request: Any, record_type: RecordType, query: ListQuery, *, more: bool) -> dict[str, Any]:
    """What can be done in the rows of a table: cells to edit, rows to pick. `more` says that it has several pages."""
    edits = bool(edit_classes(record_type, request.actor))
    return {
        "bar": bar_of(record_type, query, request, more=more),
        "cells_url": path_to("record_list", record_type.key) if edits else "",
    }


def rows(request: Any, record_type: RecordType, columns: list[Field], found: list[Any], *, picks: bool) -> Markup:
    """Rows of a table."""
    labels = lists.labels_of(record_type, columns, found)
    edited = edit_classes(record_type, request.actor)
    page = cells.page_of(record_type)
    box = checks.box_of(record_type, request.actor)
    return cells.table_body(record_type, columns, found, page, labels, edited, picks=picks, box=box)


def _row(request: Any, record_type: RecordType, query: ListQuery, columns: list[Field], key: str) -> Markup:
    """One row as the list shows it now, even if its filter would leave it out: other cells follow from the one that was
    edited. Raises NotFound."""
    if not access.is_uuid(key):
        raise access.absent(record_type.model)
    alone = replace(query.whole(), cursor="", q="", filters={}, where=None, sort="", ids=(access.as_uuid(key),))
    page = lists.list_page(record_type, alone, request.actor, columns=columns)
    if not page.rows:
        raise access.absent(record_type.model)
    picks = bar_of(record_type, query, request, more=True) is not None
    return rows(request, record_type, columns, page.rows, picks=picks)


# ---------------------------------------------------------------- heads


def _head(record_type: RecordType, column: Field, query: ListQuery, sorted_by: str) -> dict[str, Any]:
    numeric = "num" if column.type in cells.NUMERIC else ""
    base = {"key": column.key, "label": str(column.label), "cls": numeric}
    return base | _sorting(record_type, query, column.key, sorted_by if may_sort(column) else "")


def _name_head(record_type: RecordType, query: ListQuery, sorted_by: str) -> dict[str, Any]:
    found = _sorting(record_type, query, NAME, sorted_by if record_type.name_sort_path else "")
    return {"label": str(record_type.name_label or _("Name"))} | found


def _sorting(record_type: RecordType, query: ListQuery, key: str, sorted_by: str) -> dict[str, Any]:
    """How a column is sorted by: its direction and rank, and the addresses of a click, alone and with Shift.

    `sorted_by` is the list's address with a hole for the sort; "" where the column can't be sorted by.
    """
    names = sorts_of(query.sort or record_type.default_sort)
    place = next((n for n, name in enumerate(names) if name.lstrip("-") == key), None)
    down = place is not None and names[place].startswith("-")
    state = "" if place is None else "descending" if down else "ascending"
    rank = place + 1 if place is not None and len(names) > 1 else 0
    if not sorted_by:
        return {"href": "", "add": "", "sort": state, "rank": rank}
    alone = query.sort or record_type.default_sort if len(names) == 1 else ""
    click = (f"-{NAME}" if alone == NAME else NAME) if key == NAME else flipped(alone, key)
    too = added(query.sort, key) if query.sort else click
    return {
        "href": sorted_by.replace(HOLE, click),
        "add": sorted_by.replace(HOLE, too),
        "sort": state,
        "rank": rank,
    }


# ---------------------------------------------------------------- groups


def _groups(request: Any, record_type: RecordType, query: ListQuery, columns: list[Field]) -> dict[str, Any]:
    currency = request.organization.base_currency
    found = grouping.groups_of(record_type, query, query.group, request.actor, columns, currency)
    keys = [column.key for column in columns]
    return {
        "heads": [
            {"head": head, "sums": _sums(head.sums, keys), "url": query.url() + f"&block=rows&key={head.key}"}
            for head in found.heads
        ],
        "field": next(f.label for f in group_fields(record_type, request.actor) if f.key == query.group),
        "complete": found.complete,
        "count": found.count,
        "sums": _sums(found.sums, keys),
        "keys": keys,
    }


def _sums(sums: dict[str, grouping.Subtotal], keys: list[str]) -> list[tuple[str, str, str]]:
    """By column: its key, the subtotal in words, and what is to be known about it."""
    return [(key, *(_words(sums[key]) if key in sums else ("", ""))) for key in keys]


def _words(one: grouping.Subtotal) -> tuple[str, str]:
    if not one.currency:
        return formats.number(one.value.normalize() if one.value else 0), ""
    note = (
        _("%(count)d amounts in currencies without a rate are not in it.") % {"count": one.apart} if one.apart else ""
    )
    return formats.money_whole(int(one.value.to_integral_value()), one.currency) + ("*" if note else ""), note


def _group_rows(
    request: Any, record_type: RecordType, query: ListQuery, columns: list[Field], key: str
) -> dict[str, Any]:
    inside = grouping.within(query, record_type, query.group, key, request.actor)
    unsorted = ""
    try:
        page = lists.list_page(record_type, inside, request.actor, size=GROUP_ROWS, columns=columns)
    except TooLong as error:
        inside, unsorted = inside.in_usual_order(), str(error)
        page = lists.list_page(record_type, inside, request.actor, size=GROUP_ROWS, columns=columns)
    more = query.url(cursor=page.next_cursor) + f"&block=rows&key={key}" if page.next_cursor else ""
    picks = bar_of(record_type, query, request, more=True) is not None
    body = rows(request, record_type, columns, page.rows, picks=picks)
    return {"body": body, "more": more, "span": len(columns) + 1 + picks, "unsorted": unsorted}


# ---------------------------------------------------------------- board


def _lines(query: ListQuery, columns: list[Field]) -> list[Field]:
    """The columns that a card shows: those that were picked, else the first ones."""
    rest = [column for column in columns if column.key != query.by]
    return rest if query.columns else rest[:CARD_LINES]


def _board(request: Any, record_type: RecordType, query: ListQuery, columns: list[Field]) -> dict[str, Any]:
    actor, lines = request.actor, _lines(query, columns)
    heads = boards.heads_of(record_type, query, actor, columns, request.organization.base_currency)
    found = boards.columns_of(record_type, query, actor, lines, heads)
    rows = [row for column in found for row in column.page.rows]
    draw = _card(record_type, lines, lists.labels_of(record_type, lines, rows))
    field = boards.field_of(record_type, query.by, actor)
    return {
        "columns": [
            head_of(column.head)
            | {
                "cards": Markup("").join(map(draw, column.page.rows)),
                "more": _more(query, column.head.key, column.page),
            }
            for column in found
        ],
        "field": field,
        "editable": field in actions.editable_fields(record_type, actor) and rules.may_edit_anything(actor),
        "move": path_to("record_choice", record_type.key, cells.HOLE, field.key) + query.url(),
        "hole": str(cells.HOLE),
    }


def head_of(head: grouping.Head) -> dict[str, Any]:
    """What the head of a board's column shows."""
    text, note = next((_words(one) for one in head.sums.values()), ("", ""))
    return {"key": head.key, "label": head.label, "tone": head.tone or "gray", "count": head.count} | {
        "sum": text,
        "note": note,
    }


def _more(query: ListQuery, key: str, page: Any) -> str:
    return query.url(cursor=page.next_cursor) + f"&block=cards&key={key}" if page.next_cursor else ""


def _more_cards(
    request: Any, record_type: RecordType, query: ListQuery, columns: list[Field], key: str
) -> dict[str, Any]:
    lines = _lines(query, columns)
    inside = grouping.within(query, record_type, query.by, key, request.actor)
    page = lists.list_page(record_type, inside, request.actor, size=boards.CARDS, columns=lines, also=("version",))
    draw = _card(record_type, lines, lists.labels_of(record_type, lines, page.rows))
    return {"cards": Markup("").join(map(draw, page.rows)), "more": _more(query, key, page)}


def _card(record_type: RecordType, lines: list[Field], labels: Any) -> Any:
    """A function that draws the card of a row."""
    page = cells.page_of(record_type)
    drawn = [(cells.escape(line.label), cells.renderer(line, labels)) for line in lines]

    def draw(row: Any) -> Markup:
        shown = [(label, render(row)) for label, render in drawn]
        body = "".join(
            f'<p class="line"><span class="sr-only">{label}: </span>{value}</p>'
            for label, value in shown
            if value != cells.EMPTY
        )
        name = cells.escape(cells.record_name(record_type, row))
        return Markup(  # noqa: S704 -- every value is escaped
            f'<article class="deal" data-id="{row["id"]}" data-version="{row["version"]}">'
            f'<a href="{page(str(row["id"]))}">{name}</a>{body}</article>'
        )

    return draw


# ---------------------------------------------------------------- choices


def _picker(record_type: RecordType, query: ListQuery, actor: Any) -> dict[str, Any]:
    """The columns that can be picked: those that are shown, in order, then the others."""
    shown = lists.columns_of(record_type, actor, query)
    keys = {column.key for column in shown}
    rest = [column for column in lists.listable_fields(record_type, actor) if column.key not in keys]
    return {
        "type": record_type,
        "shown": shown,
        "rest": sorted(rest, key=lambda column: str(column.label).casefold()),
        "kept": query.pairs("cols", "after"),
        "reset": query.url(columns=()),
    }


def _order(record_type: RecordType, query: ListQuery, actor: Any) -> dict[str, Any]:
    """What the list is sorted by, each with the addresses that turn it round and take it away; and what it can be
    sorted by besides, texts upwards and others downwards at first."""
    labels = {NAME: record_type.name_label or _("Name")} if record_type.name_sort_path else {}
    fields = [column for column in lists.listable_fields(record_type, actor) if may_sort(column)]
    if all(column.key != "updated_at" for column in record_type.fields):
        labels["updated_at"] = _("Last change")
    labels |= {column.key: column.label for column in fields}
    upwards = {NAME, *(column.key for column in fields if column.type in SHORT_TEXTS)}
    names = sorts_of(query.sort or record_type.default_sort)
    sorts = []
    for name in names:
        key = name.lstrip("-")
        turned = [added(one, key) if one == name else one for one in names]
        without = [one for one in names if one != name]
        sorts.append({
            "label": labels.get(key, key), "down": name.startswith("-"), "turned": query.url(sort=",".join(turned)),
            "without": query.url(sort=",".join(without)) if query.sort else "",
        })  # fmt: skip
    present = names if query.sort else []
    rest = {key: label for key, label in labels.items() if key not in {name.lstrip("-") for name in present}}
    more = [
        (label, query.url(sort=",".join([*present, key if key in upwards else f"-{key}"])))
        for key, label in sorted(rest.items(), key=lambda one: str(one[1]).casefold())
    ]
    return {
        "sorts": sorts,
        "more": more if len(present) < SORTS else [],
        "usual": query.url(sort="") if query.sort else "",
    }


def _choices(record_type: RecordType, query: ListQuery, actor: Any) -> dict[str, Any]:
    """What a list can be grouped by, and laid out as."""
    table = {"layout": "", "by": ""}
    return {
        "groups": [
            (field.label, query.group == field.key, query.url(group=field.key, **table))
            for field in group_fields(record_type, actor)
        ],
        "no_group": query.url(group=""),
        "query": query,
        "boards": [
            (
                field.label,
                query.layout == BOARD and query.by == field.key,
                query.url(layout=BOARD, by=field.key, group=""),
            )
            for field in board_fields(record_type, actor)
        ],
        "table": query.url(**table),
    }
