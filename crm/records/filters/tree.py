"""A filter as a tree, and its JSON form.

Only the shape is checked here; whether fields and values make sense is the compiler's to say, for one type of record
and one reader. A place such as `filter.and[2].value` says where in the JSON something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _

from crm.lib.errors import Invalid

LEVELS = 5  # groups, negations and related records inside of one another
CONDITIONS = 50
VALUES = 200  # in the list of one condition
LENGTH = 1000  # characters of one value
ROOT = "filter"
ALL, ANY, NONE, SOME = "and", "or", "none", "some"

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, an operator, and what it is compared with; the path `account.industry` goes over a lookup."""

    field: str
    op: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Group:
    """All (`and`) or any (`or`) of some nodes."""

    match: str
    members: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a node: every record that it leaves out."""

    member: Node


@dataclass(frozen=True, slots=True)
class Related:
    """Whether there are `some` related records, or `none`; those that `where` leaves, if it is given."""

    relation: str
    match: str
    where: Node | None = None


Node = Condition | Group | Not | Related


def all_of(nodes: Sequence[Node]) -> Node | None:
    """What all of the nodes say together; None for no nodes."""
    return Group(ALL, tuple(nodes)) if len(nodes) > 1 else next(iter(nodes), None)


def members_of(node: Node | None) -> tuple[Node, ...]:
    """What must all hold for a node to hold: the members of an `and`, else the node itself."""
    if node is None:
        return ()
    return node.members if isinstance(node, Group) and node.match == ALL else (node,)


def inner(node: Node, place: str) -> Iterator[tuple[Node, str]]:
    """The nodes directly inside of a node, with their places."""
    if isinstance(node, Group):
        for number, member in enumerate(node.members):
            yield member, f"{place}.{node.match}[{number}]"
    elif isinstance(node, Not):
        yield node.member, f"{place}.not"
    elif isinstance(node, Related) and node.where is not None:
        yield node.where, f"{place}.where"


def fields_in(node: Node | None) -> set[str]:
    """The fields that a filter names of the record itself, and of what its lookups lead to."""
    if node is None or isinstance(node, Related):
        return set()
    if isinstance(node, Condition):
        return {node.field}
    return {name for member, _place in inner(node, "") for name in fields_in(member)}


class WrongFilter(Invalid):
    """Something is wrong at a place of a filter; `reason` says what, without the place."""

    code = "filter"

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(_("%(reason)s (at %(place)s)") % {"reason": reason, "place": place})


def wrong(place: str, reason: str) -> WrongFilter:
    """The error for something wrong at a place of a filter."""
    return WrongFilter(place, reason)


def check_limits(node: Node) -> Node:
    """The node itself. Raises Invalid where it has more than 5 levels or 50 conditions."""
    conditions = 0
    waiting = [(node, ROOT, 0)]
    while waiting:
        found, place, level = waiting.pop()
        if not isinstance(found, Condition):
            level += 1
            _check_level(level, place)
        if isinstance(found, Condition | Related):
            conditions += 1
        waiting += [(member, inside, level) for member, inside in inner(found, place)]
    if conditions > CONDITIONS:
        message = _("A filter has at most %(most)d conditions, this one %(number)d. Take some away.")
        raise wrong(ROOT, message % {"most": CONDITIONS, "number": conditions})
    return node


def _check_level(level: int, place: str) -> None:
    if level > LEVELS:
        raise wrong(place, _("A filter is at most %(most)d levels deep. Take a group away.") % {"most": LEVELS})


def from_json(data: Any) -> Node:
    """The tree of a JSON value. Raises Invalid that names the place of what is wrong."""
    return check_limits(_node(data, ROOT, 1))


def _node(data: Any, place: str, level: int) -> Node:
    if not isinstance(data, Mapping):
        raise wrong(place, _("A condition, a group or a relation is expected here."))
    # The level is held against the limit on the way down, so that no depth of JSON is walked.
    for match in (ALL, ANY):
        if match in data:
            _only(data, {match}, place)
            _check_level(level, place)
            return Group(match, _members(data[match], f"{place}.{match}", level))
    if "not" in data:
        _only(data, {"not"}, place)
        _check_level(level, place)
        return Not(_node(data["not"], f"{place}.not", level + 1))
    if "related" in data:
        _check_level(level, place)
        return _related(data, place, level)
    _only(data, {"field", "op", "value"}, place)
    return Condition(_name(data, "field", place), _name(data, "op", place), _value(data.get("value"), f"{place}.value"))


def _members(data: Any, place: str, level: int) -> tuple[Node, ...]:
    if not isinstance(data, list) or not data:
        raise wrong(place, _("A list of at least one condition is expected here."))
    if len(data) > CONDITIONS:
        raise wrong(place, _("A filter has at most %(most)d conditions. Take some away.") % {"most": CONDITIONS})
    return tuple(_node(member, f"{place}[{number}]", level + 1) for number, member in enumerate(data))


def _related(data: Mapping[str, Any], place: str, level: int) -> Related:
    _only(data, {"related", "match", "where"}, place)
    match = data.get("match", SOME)
    if match not in (SOME, NONE):
        raise wrong(f"{place}.match", _("“some” or “none” is expected here."))
    where = data.get("where")
    found = None if where is None else _node(where, f"{place}.where", level + 1)
    return Related(_name(data, "related", place), match, found)


def _only(data: Mapping[str, Any], known: set[str], place: str) -> None:
    for key in data:
        if key not in known:
            raise wrong(place, _("“%(key)s” is not expected here.") % {"key": str(key)[:40]})


def _name(data: Mapping[str, Any], key: str, place: str) -> str:
    found = data.get(key)
    if not isinstance(found, str) or not found or len(found) > LENGTH:
        raise wrong(f"{place}.{key}", _("A name is expected here."))
    return found


def _value(data: Any, place: str) -> Value:
    if isinstance(data, list):
        if len(data) > VALUES:
            raise wrong(place, _("A list has at most %(most)d values.") % {"most": VALUES})
        return tuple(_scalar(value, f"{place}[{number}]") for number, value in enumerate(data))
    return None if data is None else _scalar(data, place)


def _scalar(data: Any, place: str) -> Scalar:
    if isinstance(data, bool) or (isinstance(data, float) and isfinite(data)):
        return data
    if (isinstance(data, str) and len(data) > LENGTH) or (isinstance(data, int) and abs(data) >= 10**LENGTH):
        raise wrong(place, _("A value has at most %(most)s characters.") % {"most": f"{LENGTH:,}"})
    if isinstance(data, int) or (isinstance(data, str) and _is_storable(data)):
        return data
    raise wrong(place, _("A text, a number, true or false is expected here."))


def _is_storable(text: str) -> bool:
    """Whether the database could hold the text: no NUL, no half of a surrogate pair."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def to_json(node: Node) -> dict[str, Any]:
    """The JSON form of a tree; from_json() reads it back."""
    if isinstance(node, Group):
        return {node.match: [to_json(member) for member in node.members]}
    if isinstance(node, Not):
        return {"not": to_json(node.member)}
    if isinstance(node, Related):
        where = {} if node.where is None else {"where": to_json(node.where)}
        return {"related": node.relation, "match": node.match, **where}
    value = list(node.value) if isinstance(node.value, tuple) else node.value
    return {"field": node.field, "op": node.op, **({} if value is None else {"value": value})}
