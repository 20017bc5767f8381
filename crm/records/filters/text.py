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
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput

from crm.lib.errors import Invalid
from crm.records.filters.tree import ALL, Condition, Group, Node, Not, Related, Scalar, Value, from_json

LONGEST = 20_000  # characters
_GRAMMAR = r"""
    start: node ("," node)*
    ?node: _AND node ("," node)* ")"             -> all_of
         | _OR node ("," node)* ")"              -> any_of
         | _NOT node ")"                         -> opposite
         | MATCH NAME ("," node)* ")"            -> related
         | NAME ":" NAME                         -> condition
         | NAME ":" NAME ":" scalar              -> condition
         | NAME ":" NAME ":" "(" [scalar ("," scalar)*] ")"  -> condition_with_list
    ?scalar: QUOTED | NAME | WORD
    _AND.2: "and("
    _OR.2: "or("
    _NOT.2: "not("
    MATCH.2: "some(" | "none("
    QUOTED: /'([^']|'')*'/
    NAME.1: /[A-Za-z_][A-Za-z0-9_.]*/
    WORD: /[^\s,():']+/
"""
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_BARE = re.compile(r"[\w.@/+*~!-]+")  # what is printed without quotes
_WORDS = {"true": True, "false": False}


class _ToJson(Transformer[Any, Any]):
    """Makes the JSON form, whose reader checks everything else."""

    def start(self, nodes: list[Any]) -> Any:
        return nodes[0] if len(nodes) == 1 else {ALL: nodes}

    def all_of(self, nodes: list[Any]) -> Any:
        return {"and": nodes}

    def any_of(self, nodes: list[Any]) -> Any:
        return {"or": nodes}

    def opposite(self, nodes: list[Any]) -> Any:
        return {"not": nodes[0]}

    def related(self, parts: list[Any]) -> Any:
        match, relation, *nodes = parts
        where = {"where": self.start(nodes)} if nodes else {}
        return {"related": str(relation), "match": match[:-1], **where}

    def condition(self, parts: list[Any]) -> Any:
        field, op, *value = parts
        return {"field": str(field), "op": str(op), **({"value": _scalar(value[0])} if value else {})}

    def condition_with_list(self, parts: list[Any]) -> Any:
        field, op, *values = parts
        return {"field": str(field), "op": str(op), "value": [_scalar(v) for v in values if v is not None]}


def _scalar(token: Token) -> Scalar:
    if token.type == "QUOTED":
        return token[1:-1].replace("''", "'")
    if token in _WORDS:
        return _WORDS[token]
    if _NUMBER.fullmatch(token):
        return float(token) if "." in token else int(token)
    return str(token)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_ToJson(), maybe_placeholders=False)


def parse(text: str) -> Node:
    """The tree that a text means. Raises Invalid that says where it can't be read, or what is wrong."""
    if len(text) > LONGEST:
        message = _("This filter is too long: %(most)d characters are the most. Take conditions away.")
        raise Invalid(message % {"most": LONGEST}, code="filter")
    try:
        data: Any = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unreadable(text, error) from None
    return from_json(data)


def _unreadable(text: str, error: UnexpectedInput) -> Invalid:
    position = error.pos_in_stream
    if position is None or position < 0 or getattr(getattr(error, "token", None), "type", "") == "$END":
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


def _value(value: Value) -> str:
    if isinstance(value, tuple):
        return f"({','.join(_value(member) for member in value)})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        digits = f"{Decimal(repr(value)):f}"  # without an exponent
        return digits if "." in digits else f"{digits}.0"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    plain = _BARE.fullmatch(text) and not _NUMBER.fullmatch(text) and text not in _WORDS
    return text if plain else "'" + text.replace("'", "''") + "'"
