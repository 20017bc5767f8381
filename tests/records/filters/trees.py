"""Random filters over the fleet: every operator of every field, groups, negations, related records."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from crm.records.filters.dates import PERIODS
from crm.records.filters.operators import OPERATORS, Operator, Shape
from crm.records.filters.tree import Condition, Group, Node, Not, Related
from crm.records.registry import Field, FieldType, registry
from tests.records.filters.fleet import DAYS, OPTIONS, SAILOR, Fleet

TEXTS = ("elan", "ÉLAN", "É", "n", "%", "_", "'", "50%", "Borealis", "ines", "(5)", "o'", "\\", 5)
NUMBERS = (0, 4, 4.5, 12, 11.99, 40, -3, 10**14)
DATES = ("today", "yesterday", "tomorrow", "2026-10-25", "2026-09-28", *(day.isoformat() for day in DAYS))
SPANS = ("1d", "3d", "30d", "4w", "400d")


def _scalars(field: Field, fleet: Fleet) -> Any:
    people = [str(one.id) for one in (fleet.rep, fleet.mate, fleet.other, fleet.admin)]
    known: dict[FieldType, Any] = {
        FieldType.TEXT: TEXTS,
        FieldType.NUMBER: NUMBERS,
        FieldType.PERCENT: NUMBERS,
        FieldType.MONEY: (0, 50, 100.5, 4000, 8000),
        FieldType.DATE: DATES,
        FieldType.DATETIME: DATES,
        FieldType.CHECKBOX: (True, False),
        FieldType.CHOICE: ("no", "pa") if field.key == "flag" else [key for key, _label in OPTIONS] + ["gone"],
        FieldType.MULTI_CHOICE: [key for key, _label in OPTIONS],
        FieldType.MEMBER: ["me", "my_team", *people],
        FieldType.LOOKUP: [str(pk) for pk in fleet.vessels],
        FieldType.TAGS: [str(pk) for pk in fleet.tags],
    }
    return st.sampled_from(list(known[field.type]))


def _values(field: Field, operator: Operator, fleet: Fleet) -> Any:
    one = _scalars(field, fleet)
    return {
        Shape.NOTHING: st.none(),
        Shape.ONE: one,
        Shape.LIST: st.lists(one, min_size=1, max_size=3).map(tuple),
        Shape.RANGE: st.tuples(one, one),
        Shape.PERIOD: st.sampled_from(sorted(PERIODS)),
        Shape.SPAN: st.sampled_from(SPANS),
    }[operator.shape]


@st.composite
def conditions(draw: st.DrawFn, fleet: Fleet, fields: list[Field], before: str = "") -> Condition:
    field = draw(st.sampled_from(fields))
    operator = draw(st.sampled_from(OPERATORS[field.type]))
    return Condition(before + field.key, operator.key, draw(_values(field, operator, fleet)))


def _groups(inside: Any) -> Any:
    groups = st.builds(Group, st.sampled_from(["and", "or"]), st.lists(inside, min_size=1, max_size=3).map(tuple))
    return groups | st.builds(Not, inside)


def trees(fleet: Fleet) -> st.SearchStrategy[Node]:
    """Filters of ships."""
    plain = [
        f for f in registry.get("vessel").fields if f.filterable and f.type not in (FieldType.URL, FieldType.PHONE)
    ]
    over = [*conditions_over(fleet, plain)]
    leaf = st.one_of(conditions(fleet, plain), *over)
    aboard = conditions(fleet, [f for f in SAILOR.fields if f.key != "vessel"])
    aboard = st.one_of(aboard, conditions(fleet, [plain[0], plain[1]], "vessel."))
    related = st.builds(
        Related, st.just("sailors"), st.sampled_from(["some", "none"]), st.none() | aboard | _groups(aboard)
    )
    leaves = leaf | related
    return leaves | _groups(leaves) | _groups(_groups(leaves))


def conditions_over(fleet: Fleet, plain: list[Field]) -> list[Any]:
    """Conditions on a ship's sister, and on the sister's own; the names of fields are those of ships."""
    return [conditions(fleet, plain, "sister."), conditions(fleet, plain[:4], "sister.sister.")]
