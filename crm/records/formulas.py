"""Formulas of custom fields: arithmetic and text over other fields of the record, by their keys.

    round(amount * probability / 100, 2)        upper(city) + ", " + country        "big" if amount > 10000 else "small"

They are read as Python expressions and worked out by simpleeval, with what can't do harm: no attributes, no
subscripts, no assignments, no names but field keys and the functions below. Money is in units of its currency, not in
minor units; an empty field makes the result empty, unless `coalesce` gives something in its place.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _
from simpleeval import DEFAULT_OPERATORS, InvalidExpression, SimpleEval

from crm.lib.errors import Invalid

LONGEST = 1000  # characters of a formula
MOST_NODES = 200
LONGEST_TEXT = 2000  # characters of a result

_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Constant,
    ast.Load, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
_REFUSED = (
    ast.Pow,
    ast.BitAnd,
    ast.BitOr,
    ast.BitXor,
    ast.LShift,
    ast.RShift,
    ast.MatMult,
    ast.Invert,
    ast.Is,
    ast.IsNot,
)
_CONSTANTS = (int, float, str, bool, type(None))
WORDS = frozenset({"and", "or", "not", "if", "else", "in", "is"})  # what formulas are written with: no keys of fields
# Python's other words may be keys: such as `class`.
_OTHER_WORDS = frozenset(word for word in keyword.kwlist if word.islower()) - WORDS
_TOKENS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\w+""", re.ASCII)


class _Empty(Exception):  # noqa: N818 -- says what is the matter
    """An empty field was needed."""


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError
    return Decimal(str(value))


def _rounded(value: Any, digits: Any = 0) -> Decimal:
    return _number(value).quantize(Decimal(1).scaleb(-max(-9, min(int(digits), 9))), ROUND_HALF_UP)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def _joined(parts: Iterable[str]) -> str:
    """Texts one after the other, no more of them than a result holds: what is cut off is not built first."""
    found, left = [], LONGEST_TEXT
    for part in parts:
        found.append(part[:left])
        left -= len(found[-1])
        if not left:
            break
    return "".join(found)


def _replaced(value: Any, old: Any, new: Any) -> str:
    text, sought, instead = _text(value), _text(old), _text(new)
    if not sought:
        return text[:LONGEST_TEXT]
    first, *others = text.split(sought)
    return _joined(chain([first], *((instead, part) for part in others)))


def _day(value: Any) -> date:
    return (
        value.date() if isinstance(value, datetime) else date.fromisoformat(value) if isinstance(value, str) else value
    )


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "round": _rounded,
    "floor": lambda value: Decimal(math.floor(_number(value))),
    "ceil": lambda value: Decimal(math.ceil(_number(value))),
    "abs": lambda value: abs(_number(value)),
    "min": lambda *values: min(map(_number, values)),
    "max": lambda *values: max(map(_number, values)),
    "len": lambda value: Decimal(len(_text(value))),
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "trim": lambda value: _text(value).strip(),
    "left": lambda value, count: _text(value)[: max(0, int(count))],
    "right": lambda value, count: _text(value)[-int(count) :] if int(count) > 0 else "",
    "replace": _replaced,
    "concat": lambda *values: _joined(map(_text, values)),
    "text": _text,
    "coalesce": lambda *values: next((value for value in values if value not in (None, "")), None),
    "is_empty": lambda value: value in (None, "", []),
    "days": lambda start, end: Decimal((_day(end) - _day(start)).days),
    "year": lambda value: Decimal(_day(value).year),
    "month": lambda value: Decimal(_day(value).month),
}
_TAKES_EMPTY = frozenset({"coalesce", "is_empty", "concat", "text"})


def _refuse(place: int, message: str) -> Invalid:
    return Invalid(fields={"formula": _("At character %(place)d: %(what)s") % {"place": place + 1, "what": message}})


def _readable(text: str) -> str:
    """A formula as Python's parser reads it: a key that is one of its words begins with a wide letter, which the parser
    takes for the same letter when it has found a name there."""
    return _TOKENS.sub(lambda found: _widened(found[0]) if found[0] in _OTHER_WORDS else found[0], text.strip())


def _widened(word: str) -> str:
    return chr(ord(word[0]) - ord("a") + ord("ａ")) + word[1:]


def _place(text: str, node: ast.AST) -> int:
    """Where a node stands in a formula, in characters: the parser counts bytes."""
    return len(_readable(text).encode()[: getattr(node, "col_offset", 0)].decode())


@lru_cache(maxsize=2048)
def _parsed(text: str) -> ast.expr:
    """The expression of a formula. Raises Invalid naming the place of what is not allowed."""
    if len(text) > LONGEST:
        raise Invalid(fields={"formula": _("Too long: %(limit)s characters at most.") % {"limit": LONGEST}})
    try:
        tree = ast.parse(_readable(text), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = max(0, (getattr(error, "offset", None) or 1) - 1)
        raise _refuse(place, _("this can't be understood.")) from None
    nodes = list(ast.walk(tree))
    if len(nodes) > MOST_NODES:
        raise Invalid(fields={"formula": _("This formula is too complicated. Split it into several fields.")})
    for node in nodes:
        _check_node(node, text)
    return tree.body


def _check_node(node: ast.AST, text: str) -> None:
    place = _place(text, node)
    if not isinstance(node, _NODES) or isinstance(node, _REFUSED):
        raise _refuse(place, _("this is not allowed in a formula."))
    if isinstance(node, ast.Constant) and not isinstance(node.value, _CONSTANTS):
        raise _refuse(place, _("only numbers and texts can be written here."))
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            raise _refuse(
                place, _("there is no such function. There are: %(names)s.") % {"names": ", ".join(FUNCTIONS)}
            )
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            raise _refuse(place, _("this is not allowed in a formula."))


@lru_cache(maxsize=2048)
def names_of(text: str) -> frozenset[str]:
    """The keys of the fields that a formula is made of; none for one that can't be understood."""
    try:
        tree = _parsed(text)
    except Invalid:
        return frozenset()
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in called)


def check(text: str, known: Collection[str]) -> frozenset[str]:
    """The keys of the fields that a formula is made of. Raises Invalid naming the place of a mistake."""
    tree = _parsed(text)
    names = names_of(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names and node.id not in known:
            raise _refuse(_place(text, node), _("there is no field “%(key)s”.") % {"key": node.id})
    if not names:
        raise Invalid(fields={"formula": _("Name at least one field by its key.")})
    return names


class _Evaluator(SimpleEval):  # type: ignore[misc]  # the library has no types
    """simpleeval over exact decimals, where an empty field ends the work."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__(operators=DEFAULT_OPERATORS, functions=FUNCTIONS, names=names)
        self.nodes = {kind: how for kind, how in self.nodes.items() if issubclass(kind, _NODES)}

    def _eval_constant(self, node: Any) -> Any:
        value = super()._eval_constant(node)
        return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value

    def _eval_binop(self, node: Any) -> Any:
        left, right = self._eval(node.left), self._eval(node.right)
        if left is None or right is None:
            raise _Empty
        if isinstance(node.op, ast.Add) and isinstance(left, str) != isinstance(right, str):
            left, right = _text(left), _text(right)
        # Of texts, these two would repeat and format: a short formula could fill the memory.
        both = isinstance(left, Decimal) and isinstance(right, Decimal)
        if isinstance(node.op, ast.Mult | ast.Mod) and not both:
            raise TypeError
        return self.operators[type(node.op)](left, right)

    def _eval_compare(self, node: Any) -> Any:
        if any(self._eval(part) is None for part in (node.left, *node.comparators)):
            raise _Empty
        return super()._eval_compare(node)

    def _eval_call(self, node: Any) -> Any:
        given = [self._eval(argument) for argument in node.args]
        if node.func.id not in _TAKES_EMPTY and any(value is None for value in given):
            raise _Empty
        return FUNCTIONS[node.func.id](*given)


def result_of(text: str, values: Mapping[str, Any], kind: str = "") -> Any:
    """What a formula gives for a record's values by field key: a Decimal, text, bool, date, or None.

    Empty when an empty field was needed, for what has no answer, such as a division by zero, and for what is not of the
    `kind` (a FieldType) that the field says comes out.
    """
    names = {name: _exact(values.get(name)) for name in names_of(text)}
    try:
        return _of_kind(_Evaluator(names).eval(text, previously_parsed=_parsed(text)), kind)
    except (_Empty, InvalidExpression, ArithmeticError, TypeError, ValueError, AttributeError):
        return None


def _of_kind(value: Any, kind: str) -> Any:
    if kind in ("number", "percent"):
        return value if isinstance(value, Decimal) and value.is_finite() else None
    if kind == "checkbox":
        return value if isinstance(value, bool) else None
    if kind == "text" or isinstance(value, str):
        return _text(value)[:LONGEST_TEXT] or None
    return value


def _exact(value: Any) -> Any:
    """A field's value as formulas take it."""
    if value is None or value == "":
        return None
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
