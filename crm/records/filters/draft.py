"""A filter while somebody builds it: rows of a form, some of them not filled in yet.

A draft is read from a tree and printed into a form; the form's parameters make it again. Every node has an id that
says where it stands: "0" is the whole filter, "0-2" its third row, "0-2-0" the first row of a group there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from crm.records.filters.dates import parse_span
from crm.records.filters.operators import OPERATORS, Shape, operator_of
from crm.records.filters.text import digits_of
from crm.records.filters.tree import (
    ALL,
    ANY,
    LEVELS,
    SOME,
    Condition,
    Group,
    Node,
    Not,
    Related,
    Scalar,
    Value,
)
from crm.records.filters.values import DATES, NUMBERS, TEXTS
from crm.records.registry import Field, FieldType

NOBODY = "none"  # a group of which nothing may hold
DAY = "day"  # a date that is chosen, not one such as "today"
_NAME = re.compile(r"n(0(?:-\d{1,3}){0,8})\.(field|was|op|wasop|value|exact|match|relation|some)")


@dataclass
class DraftRow:
    """A condition: a path, an operator, and what its controls hold. An `exact` one has texts with spaces at their ends,
    or of several lines: they are kept so, though what is typed is taken without."""

    path: str = ""
    op: str = ""
    values: list[str] = field(default_factory=list)
    error: str = ""
    exact: bool = False


@dataclass
class DraftGroup:
    """All, any or none of some rows; or those of related records, `some` or `none` of them, where `relation` is set."""

    match: str = ALL
    rows: list[DraftRow | DraftGroup] = field(default_factory=list)
    relation: str = ""
    some: str = SOME


# ---------------------------------------------------------------- from and to a tree


def draft_of(node: Node | None) -> DraftGroup:
    """The draft of a tree."""
    if node is None:
        return DraftGroup()
    found = _drafted(node)
    return found if isinstance(found, DraftGroup) and not found.relation else DraftGroup(rows=[found])


def _drafted(node: Node) -> DraftRow | DraftGroup:
    if isinstance(node, Condition):
        values = node.value if isinstance(node.value, tuple) else () if node.value is None else (node.value,)
        exact = any(isinstance(v, str) and (v != v.strip() or len(v.splitlines()) > 1) for v in values)
        return DraftRow(node.field, node.op, [_shown(value) for value in values], exact=exact)
    if isinstance(node, Related):
        inside = draft_of(node.where)
        return DraftGroup(inside.match, inside.rows, node.relation, node.match)
    if isinstance(node, Group):
        return DraftGroup(node.match, [_drafted(member) for member in node.members])
    member = node.member
    members = member.members if isinstance(member, Group) and member.match == ANY else (member,)
    return DraftGroup(NOBODY, [_drafted(one) for one in members])


def _shown(value: Scalar) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return digits_of(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


# The field that a path names inside of some relations, from the outside in; None where there is none.
Find = Callable[[tuple[str, ...], str], Field | None]


def tree_of(draft: DraftGroup, find: Find, relations: tuple[str, ...] = ()) -> Node | None:
    """The tree of a draft without the rows that are not filled in; None where that leaves nothing."""
    inside = (*relations, draft.relation) if draft.relation else relations
    members: list[Node] = []
    for row in draft.rows:
        node = tree_of(row, find, inside) if isinstance(row, DraftGroup) else condition_of(row, find, inside)
        if node is not None:
            members.append(node)
    where = _grouped(draft.match, tuple(members))
    return Related(draft.relation, draft.some, where) if draft.relation else where


def _grouped(match: str, members: tuple[Node, ...]) -> Node | None:
    if not members:
        return None
    one = members[0] if len(members) == 1 else Group(ANY if match == NOBODY else match, members)
    return Not(one) if match == NOBODY else one


def condition_of(row: DraftRow, find: Find, relations: tuple[str, ...]) -> Condition | None:
    """The condition of a row; None while it has no field, or no value where one is needed."""
    found = find(relations, row.path)
    operator = operator_of(found.type, row.op) if found else None
    if found is None or operator is None:
        return None
    if operator.shape == Shape.NOTHING:
        return Condition(row.path, row.op)
    values = _given(found, operator.shape, row)
    if not values or (operator.shape == Shape.RANGE and len(values) != 2):
        return None
    value: Value = values if operator.shape in (Shape.LIST, Shape.RANGE) else values[0]
    return Condition(row.path, row.op, value)


def _given(found: Field, shape: Shape, row: DraftRow) -> tuple[Scalar, ...]:
    values = row.values
    if shape == Shape.SPAN:
        return (("".join(values)),) if parse_span("".join(values)) else ()
    if found.type in DATES and shape == Shape.ONE:
        kind, *days = values or [""]
        values = days if kind == DAY else [kind]
    if found.type in TEXTS and row.exact:
        # A browser sends the lines of a text in its own way.
        return tuple(value.replace("\r\n", "\n") for value in values if value.strip())
    if found.type in TEXTS and shape == Shape.LIST:
        values = [line for value in values for line in value.splitlines()]
    return tuple(_typed(found, value.strip()) for value in values if value.strip())


def _typed(found: Field, text: str) -> Scalar:
    if found.type == FieldType.CHECKBOX:
        return text == "true"
    if found.type in NUMBERS:
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            return text  # the compiler says that it is no number
    return text


# ---------------------------------------------------------------- from a form


def read_form(params: QueryDict) -> DraftGroup:
    """The draft that a form's parameters describe; what is no part of one is passed over."""
    nodes: dict[tuple[int, ...], dict[str, Any]] = {(0,): {}}
    for name in params:
        found = _NAME.fullmatch(name)
        if found:
            path = tuple(int(number) for number in found[1].split("-"))
            values = params.getlist(name)
            nodes.setdefault(path, {})[found[2]] = values if found[2] == "value" else values[-1]
    return _group((0,), nodes)


def _group(path: tuple[int, ...], nodes: dict[tuple[int, ...], dict[str, Any]]) -> DraftGroup:
    own = nodes[path]
    match = own.get("match", ALL)
    group = DraftGroup(match if match in (ALL, ANY, NOBODY) else ALL, [], own.get("relation", ""))
    group.some = NOBODY if own.get("some") == NOBODY else SOME
    inside = sorted(one for one in nodes if len(one) == len(path) + 1 and one[:-1] == path)
    for one in inside:
        # Rows beyond the most, and one level more than is allowed, are kept, so that the error can say so.
        is_group = "match" in nodes[one] and len(one) <= LEVELS + 2
        group.rows.append(_group(one, nodes) if is_group else _row(nodes[one]))
    return group


def _row(own: dict[str, Any]) -> DraftRow | DraftGroup:
    chosen = own.get("field", "")
    if chosen.startswith(f"{SOME}:"):
        return DraftGroup(relation=chosen.partition(":")[2], rows=[DraftRow()])
    if chosen != own.get("was", chosen):
        return DraftRow(chosen)
    values = own.get("value", []) if _is_kept(own) else []
    return DraftRow(chosen, own.get("op", ""), values, exact=bool(values and own.get("exact")))


def _is_kept(own: dict[str, Any]) -> bool:
    """Whether the values of a row still fit after its operator was changed."""
    now = own.get("op", "")
    before, after = _SHAPES.get(own.get("wasop", now)), _SHAPES.get(now)
    return before == after or {before, after} == {Shape.ONE, Shape.LIST}


_SHAPES: dict[str, Shape | None] = {op.key: op.shape for operators in OPERATORS.values() for op in operators}


# ---------------------------------------------------------------- what a person does


def at(draft: DraftGroup, node_id: str) -> DraftGroup | DraftRow | None:
    """The node of that id."""
    found: DraftGroup | DraftRow | None = draft
    for number in node_id.split("-")[1:]:
        rows = found.rows if isinstance(found, DraftGroup) else []
        found = rows[int(number)] if number.isdigit() and int(number) < len(rows) else None
    return found


def change(draft: DraftGroup, act: str) -> str:
    """Does what a button of the form says: "add", "group" or "remove", a colon, and the id of a node.

    Returns the id of the row to go on with.
    """
    verb, _colon, node_id = act.partition(":")
    if verb == "remove":
        above, _dash, number = node_id.rpartition("-")
        group = at(draft, above)
        if isinstance(group, DraftGroup) and number.isdigit() and int(number) < len(group.rows):
            del group.rows[int(number)]
            return f"{above}-{max(0, int(number) - 1)}" if group.rows else above
        return "0"
    group = at(draft, node_id)
    if not isinstance(group, DraftGroup):
        return "0"
    group.rows.append(DraftRow() if verb == "add" else DraftGroup(ANY if group.match == ALL else ALL, [DraftRow()]))
    return f"{node_id}-{len(group.rows) - 1}" + ("" if verb == "add" else "-0")
