"""The grammar of a filter's text form, read by lark."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput

from crm.records.filters.text import NUMBER, WORDS
from crm.records.filters.tree import ALL, LENGTH, Scalar

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
    NAME.1: /[A-Za-z_][A-Za-z0-9_.]*(?![^\s,():'])/
    WORD: /[^\s,():']+/
"""


class UnreadableError(ValueError):
    """The text is no filter; `position` is the character from which on it can't be read, None at its end."""

    def __init__(self, position: int | None) -> None:
        super().__init__(position)
        self.position = position


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
    if token in WORDS:
        return WORDS[token]
    # What is too long for a value is left as it is: the reader says so, and where. No number has so many digits.
    if len(token) <= LENGTH and NUMBER.fullmatch(token):
        return float(token) if "." in token else int(token)
    return str(token)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_ToJson(), maybe_placeholders=False)


def read(text: str) -> Any:
    """The JSON form of a text (crm.records.filters.tree). Raises UnreadableError."""
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        position = error.pos_in_stream
        at_end = getattr(getattr(error, "token", None), "type", "") == "$END"
        raise UnreadableError(None if position is None or position < 0 or at_end else position) from None
