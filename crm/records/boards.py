"""A list laid out as a board: a column for each option of a picklist, the first cards of each in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerField, Value
from django.utils.translation import gettext as _

from crm.lib.errors import Invalid
from crm.records import actions, lists, showing
from crm.records.filters.compiler import compile_filter
from crm.records.filters.limits import stopped_in_time
from crm.records.grouping import Head, condition_of, groups_of, visible_rows
from crm.records.listquery import ListQuery, board_fields, field_among, sort_key
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor
from crm.web.pagination import Page, page_of

CARDS = 50  # of a column at once
MOST = 40  # columns
_COLUMN = "board_column"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its group, and its first cards."""

    head: Head
    page: Page


def field_of(record_type: RecordType, key: str, actor: Actor) -> Field:
    """The picklist that a board is by. Raises Invalid."""
    message = _("There is no board by “%(name)s”. Remove it from the address.")
    return field_among(board_fields(record_type, actor), key, message)


def heads_of(
    record_type: RecordType, query: ListQuery, actor: Actor, shown: Sequence[Field], currency: str
) -> list[Head]:
    """A head for each option of the picklist, in order, those without cards too, and one for no value.

    Raises Invalid, and TooSlow.
    """
    field = field_of(record_type, query.by, actor)
    money = [column for column in shown if column.type == FieldType.MONEY][:1]
    found = {head.key: head for head in groups_of(record_type, query, query.by, actor, money, currency).heads}
    tones = field.tones() if callable(field.tones) else field.tones or {}
    options = [(key, str(label)) for key, label, *_more in field.options()]
    heads = [found.pop(key, None) or Head(key, label, 0, tone=tones.get(key, "")) for key, label in options[:MOST]]
    return [*heads, *found.values()] if "" in found or field.required else [*heads, *found.values(), _none()]


def _none() -> Head:
    return Head("", _("None"), 0)


def columns_of(
    record_type: RecordType, query: ListQuery, actor: Actor, shown: Sequence[Field], heads: Sequence[Head]
) -> list[Column]:
    """The columns of a board with their first cards, as dicts of `lists.value_paths` and the version."""
    field = field_of(record_type, query.by, actor)
    key = sort_key(record_type, query.sort or record_type.default_sort, actor)
    paths = [*dict.fromkeys([*lists.value_paths(record_type, list(shown), key), "version"])]
    lists.check_length(record_type, query, key, actor, at_once=True)
    base = visible_rows(record_type, query, actor)
    parts = [
        base.filter(compile_filter(condition_of(field, head.key), record_type, actor))
        .annotate(**{_COLUMN: Value(number, IntegerField())})
        .order_by(*key.order())
        .values(*paths, _COLUMN)[: CARDS + 1]
        for number, head in enumerate(heads)
        if head.count
    ]
    found: list[list[Any]] = [[] for _head in heads]
    with stopped_in_time():
        for row in parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0] if parts else ():
            found[row[_COLUMN]].append(row)
    showing.flatten(record_type, shown, [row for rows in found for row in rows], actor)
    return [Column(head, page_of(rows, key, None, CARDS)) for head, rows in zip(heads, found, strict=True)]


def move_card(
    record_type: RecordType, pk: Any, key: str, value: str, *, acting: Actor, version: int | None
) -> tuple[Any, str]:
    """Gives a record another value of a picklist: the record, and the value it had.

    Raises Invalid for what is no option, and what crm.records.actions.update_record does.
    """
    field = field_of(record_type, key, acting)
    if value not in {option for option, *_rest in field.options()} | {""}:
        raise Invalid(_("“%(value)s” is not one of the choices.") % {"value": value[:80]})
    if not value and field.required:
        raise Invalid(_("“%(field)s” is required.") % {"field": field.label})
    before = actions.present_value(record_type, pk, field, acting)
    empty = "" if not field.custom and not record_type.model._meta.get_field(field.column).null else None
    record = actions.update_record(record_type, pk, {key: value or empty}, acting=acting, version=version)
    return record, before
