"""The compact text form of a filter, for addresses and the API.

    account.industry:is:Software,account.employee_count:between:(50,200),owner:any_of:(my_team)
    or(score:gte:50,not(last_activity_at:in_last:30d)),some(deals,status:is:open,amount:gt:50000)

Conditions with commas between them must all hold. A value that is a number, true or false means that; a text that
looks like one, or holds a comma, a bracket, a colon, a space or a quotation mark, stands in single quotes, doubled
inside. The two forms say the same: parse(print_tree(tree)) == tree.
"""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.lib.errors import Invalid
from crm.records.filters.tree import ALL, Condition, Group, Node, Not, Related, Value, from_json

LONGEST = 20_000  # characters
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_BARE = re.compile(r"[\w.@/+*~!-]+")  # what is printed without quotes
WORDS = {"true": True, "false": False}


def parse(text: str) -> Node:
    """The tree that a text means. Raises Invalid that says where it can't be read, or what is wrong."""
    if len(text) > LONGEST:
        message = _("This filter is too long: %(most)d characters are the most. Take conditions away.")
        raise Invalid(message % {"most": LONGEST}, code="filter")
    # The parser's library is loaded with the first filter: most processes never read one.
    from crm.records.filters.grammar import UnreadableError, read  # noqa: PLC0415

    try:
        return from_json(read(text))
    except UnreadableError as error:
        raise _unreadable(text, error.position) from None


def _unreadable(text: str, position: int | None) -> Invalid:
    if position is None:
        return Invalid(_("The filter ends too early. Check its last condition and its brackets."), code="filter")
    message = _("The filter can't be read from character %(position)d on (“%(rest)s”). Check it there.")
    values = {"position": position + 1, "rest": text[position : position + 20]}
    return Invalid(message % values, code="filter")


def print_tree(node: Node) -> str:
    """The text form of a tree."""
    if isinstance(node, Group) and node.match == ALL and len(node.members) > 1:
        return _listed(node.members)
    return _node(node)


def _listed(nodes: tuple[Node, ...]) -> str:
    return ",".join(_node(node) for node in nodes)


def _node(node: Node) -> str:
    if isinstance(node, Group):
        return f"{node.match}({_listed(node.members)})"
    if isinstance(node, Not):
        return f"not({_node(node.member)})"
    if isinstance(node, Related):
        where = "" if node.where is None else f",{print_tree(node.where)}"
        return f"{node.match}({_name(node.relation)}{where})"
    return _condition(node)


def _condition(node: Condition) -> str:
    start = f"{_name(node.field)}:{_name(node.op)}"
    return start if node.value is None else f"{start}:{_value(node.value)}"


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Invalid(_("“%(name)s” is no name of a field.") % {"name": name[:40]}, code="filter")
    return name


def digits_of(value: float) -> str:
    """A number as it is written in a filter: without an exponent."""
    if isinstance(value, int):
        return str(value)
    digits = f"{Decimal(repr(value)):f}"
    return digits if "." in digits else f"{digits}.0"


def _value(value: Value) -> str:
    if isinstance(value, tuple):
        return f"({','.join(_value(member) for member in value)})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return digits_of(value)
    text = str(value)
    plain = _BARE.fullmatch(text) and not NUMBER.fullmatch(text) and text not in WORDS
    return text if plain else "'" + text.replace("'", "''") + "'"
