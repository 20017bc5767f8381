"""Exporting a list: page after page, each in a short context of its own, so that no connection is held while the
reader's network is slow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import queries
from crm.lib.csvsafe import safe_cell
from crm.lib.errors import Invalid
from crm.lib.money import exponent
from crm.records import lists
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor, org_context
from crm.web import cells, formats

PAGE = 500


def export_rows(record_type: RecordType, query: lists.ListQuery, actor: Actor) -> Iterator[list[str]]:
    """The header and one row per record, as text. Cells that a spreadsheet would run as a formula are made harmless.

    Raises Invalid, and TooSlow, with the first record or later.
    """
    # The rows are asked for after the request, which takes the reader's time zone with it.
    zone = timezone.get_current_timezone()
    picked = lists.columns_of(record_type, actor, query) if query.columns else None
    columns = lists.listable_fields(record_type, actor) if picked is None else picked
    yield ["ID", str(record_type.name_label or _("Name")), *(str(column.label) for column in columns)]
    cursor = ""
    while True:
        with timezone.override(zone), org_context(actor):
            # Asked again for every page: who was deactivated meanwhile gets no more.
            found = queries.member_by_id(actor.member_id) if actor.member_id else None
            if found is None:
                return
            with org_context(found.actor) as now:
                if not cursor:
                    _check_whole(record_type, query, now)
                page = lists.list_page(record_type, replace(query, cursor=cursor), now, size=PAGE, columns=columns)
                words, names = _words(columns), lists.labels_of(record_type, columns, page.rows).names
        for row in page.rows:
            name = cells.record_name(record_type, row)
            yield [
                str(row["id"]),
                safe_cell(name),
                *(safe_cell(_text(column, row, words, names)) for column in columns),
            ]
        cursor = page.next_cursor
        if not cursor:
            return


def _check_whole(record_type: RecordType, query: lists.ListQuery, actor: Actor) -> None:
    """Raises Invalid for a search that finds more than a list shows of it: a file must not leave rows out unsaid."""
    if query.q and not lists.matching(record_type, query, actor)[1]:
        message = _(
            "More than %(most)s records match what was searched for. Filter the list, or search for more words."
        )
        raise Invalid(message % {"most": formats.number(lists.MATCHES)})


Words = dict[str, dict[str, str]]


def _words(columns: list[Field]) -> Words:
    """What the values of choices and tags are called, by field: read while the organisation is entered."""
    words: Words = {c.key: dict(c.options()) for c in columns if c.type in (FieldType.CHOICE, FieldType.MULTI_CHOICE)}
    tagged = [c.key for c in columns if c.type == FieldType.TAGS]
    tags = {str(pk): name for pk, (name, _tone) in queries.tags().items()} if tagged else {}
    return words | dict.fromkeys(tagged, tags)


def _text(column: Field, row: Any, words: Words, names: Mapping[UUID, str]) -> str:
    value = row[column.column]
    if value is None or value == []:
        return ""
    match column.type:
        case FieldType.MONEY:
            digits = exponent(row[column.currency_path])
            return f"{value / 10**digits:.{digits}f} {row[column.currency_path]}"
        case FieldType.CHOICE:
            return words[column.key].get(str(value), str(value))
        case FieldType.MULTI_CHOICE:
            return "; ".join(words[column.key].get(one, one) for one in value)
        case FieldType.MEMBER | FieldType.LOOKUP:
            return names.get(value, "")
        case FieldType.TAGS:
            known = words[column.key]
            return "; ".join(known[str(tag)] for tag in value if str(tag) in known)
        case FieldType.DATE | FieldType.DATETIME:
            return value.isoformat()
        case _:
            return str(value)
