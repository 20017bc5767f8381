"""The filter language once more, in plain Python over plain values: what the SQL is held against."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm.records.filters.tree import Condition, Group, Node, Not, Related

NEGATIVE = {
    "is_not": "is", "none_of": "any_of", "not_contains": "contains", "not_in": "in", "not_in_last": "in_last",
    "not_in_next": "in_next", "not_empty": "empty",
}  # fmt: skip
Row = Mapping[str, Any]


@dataclass
class World:
    """What a reader sees: rows by type, what is related, who they are and when."""

    now: datetime
    zone: ZoneInfo
    me: Any
    team: frozenset[Any]
    rates: dict[str, Decimal]
    kinds: dict[str, str]  # field key -> kind
    seen: dict[str, dict[Any, Row]]  # type key -> id -> row, as far as the reader sees them
    lookups: dict[str, str] = field(default_factory=dict)  # field key -> type key
    relations: dict[str, Callable[[Row], list[Row]]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def holds(node: Node, row: Row, world: World) -> bool:
    """Whether a node holds for a row."""
    if isinstance(node, Group):
        found = [holds(member, row, world) for member in node.members]
        return all(found) if node.match == "and" else any(found)
    if isinstance(node, Not):
        return not holds(node.member, row, world)
    if isinstance(node, Related):
        rows = world.relations[node.relation](row)
        found = any(node.where is None or holds(node.where, one, world) for one in rows)
        return found if node.match == "some" else not found
    if node.op in NEGATIVE:
        return not holds(Condition(node.field, NEGATIVE[node.op], node.value), row, world)
    return _compare(node, row, world)


def _value(path: str, row: Row | None, world: World) -> tuple[str, Any]:
    head, _dot, rest = path.partition(".")
    value = None if row is None else row[head]
    if head in world.lookups:
        value = value if value in world.seen[world.lookups[head]] else None
        if rest:
            return _value(rest, world.seen[world.lookups[head]].get(value), world)
    return world.kinds[head], value


def _compare(node: Condition, row: Row, world: World) -> bool:
    kind, value = _value(node.field, row, world)
    if node.op == "empty":
        return value in (None, "", [])
    if kind == "checkbox":
        return bool(value) == node.value
    if value in (None, "", []):
        return False
    compare: Any = {"text": _text, "number": _number, "money": _money, "date": _date, "datetime": _date}.get(
        kind, _one_of
    )
    return compare(value, node.op, node.value, world)


def normal(text: str) -> str:
    """Without case and accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.lower()


def _text(value: str, op: str, wanted: Any, world: World) -> bool:
    if op == "any_of":
        return normal(value) in {normal(str(each)) for each in wanted}
    mine, other = normal(value), normal(str(wanted))
    return {
        "is": mine == other,
        "contains": other in mine,
        "starts_with": mine.startswith(other),
        "ends_with": mine.endswith(other),
    }[op]


def _number(value: Any, op: str, wanted: Any, world: World) -> bool:
    if op == "between":
        return Decimal(str(wanted[0])) <= value <= Decimal(str(wanted[1]))
    other = Decimal(str(wanted))
    return {
        "is": value == other,
        "gt": value > other,
        "gte": value >= other,
        "lt": value < other,
        "lte": value <= other,
    }[op]


def _money(value: tuple[int, str], op: str, wanted: Any, world: World) -> bool:
    minor, currency = value
    if currency not in world.rates:
        return False

    def bound(amount: Any) -> int:
        return round(Decimal(str(amount)) / world.rates[currency] * 100)

    if op == "between":
        return bound(wanted[0]) <= minor <= bound(wanted[1])
    return _number(minor, op, bound(wanted), world)


def _days(op: str, wanted: Any, world: World) -> tuple[date, date]:
    """The first and the last day of a period or a span."""
    today, one = world.today, timedelta(days=1)
    if op in ("in_last", "in_next"):
        step = {"d": 1, "w": 7}[wanted[-1]] * int(wanted[:-1]) * one
        return (today - step, today) if op == "in_last" else (today, today + step)
    if wanted in ("today", "yesterday", "tomorrow"):
        day = today + one * {"yesterday": -1, "today": 0, "tomorrow": 1}[wanted]
        return day, day
    turn = {"last": -1, "this": 0, "next": 1}[wanted.split("_")[0]]
    if wanted.endswith("week"):
        monday = today - one * today.weekday() + 7 * turn * one
        return monday, monday + 6 * one
    size = {"month": 1, "quarter": 3, "year": 12}[wanted.split("_")[1]]
    months = (today.year * 12 + today.month - 1) // size * size + turn * size
    first, after = (date(n // 12, n % 12 + 1, 1) for n in (months, months + size))
    return first, after - one


def _day(text: str, world: World) -> date:
    near = {"yesterday": -1, "today": 0, "tomorrow": 1}
    return world.today + timedelta(days=near[text]) if text in near else date.fromisoformat(text)


def _date(value: Any, op: str, wanted: Any, world: World) -> bool:
    day = value.astimezone(world.zone).date() if isinstance(value, datetime) else value
    if op in ("in", "in_last", "in_next"):
        first, last = _days(op, wanted, world)
        on_time = (
            not isinstance(value, datetime)
            or {"in": True, "in_last": value <= world.now, "in_next": value >= world.now}[op]
        )
        return first <= day <= last and on_time
    if op == "between":
        return _day(wanted[0], world) <= day <= _day(wanted[1], world)
    other = _day(wanted, world)
    return {"is": day == other, "gt": day > other, "gte": day >= other, "lt": day < other, "lte": day <= other}[op]


def _one_of(value: Any, op: str, wanted: Any, world: World) -> bool:
    values = {str(each) for each in (value if isinstance(value, list) else [value])}
    asked = wanted if isinstance(wanted, tuple) else (wanted,)
    ids: set[str] = set()
    for each in map(str, asked):
        ids |= {str(world.me)} if each == "me" else {str(one) for one in world.team} if each == "my_team" else {each}
    return ids <= values if op == "all_of" else bool(ids & values)


def stored_moment(moment: datetime) -> str:
    """A moment as a custom field stores it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
