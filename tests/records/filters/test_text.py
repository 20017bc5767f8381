"""JSON and text say the same, and what can't be read is told by its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.lib.errors import Invalid
from crm.records.filters.text import parse, print_tree
from crm.records.filters.tree import Condition, Group, Node, Not, Related, check_limits, from_json, to_json

NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.]{0,8}\Z") | st.sampled_from(
    ["and", "or", "not", "some", "none", "true"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.from_regex(r"\A[\w.@/+-]{1,8}\Z")
    | st.sampled_from(["1", "-1.5", "007", "true", "A¹", "it's", "a,b", "(", "", " ", "2026-01-31", "30d"])
)
CONDITIONS = st.builds(Condition, NAMES, NAMES, st.none() | SCALARS | st.lists(SCALARS, max_size=3).map(tuple))


def _inside(inner: Any) -> Any:
    groups = st.builds(Group, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3).map(tuple))
    related = st.builds(Related, NAMES, st.sampled_from(["some", "none"]), st.none() | inner)
    return groups | st.builds(Not, inner) | related


TREES = st.recursive(CONDITIONS, _inside, max_leaves=8)


def fits(node: Node) -> bool:
    try:
        return check_limits(node) is node
    except Invalid:
        return False


@pytest.mark.parametrize("text", ["Müller", "A-b", "a@b.example", "x/y", "A¹", "and-1", "a.b-c"])
def test_a_word_needs_no_quotes(text: str) -> None:
    node = Condition("name", "is", text)
    assert (print_tree(node), parse(f"name:is:{text}")) == (f"name:is:{text}", node)


@given(TREES.filter(fits))
def test_json_and_text_say_the_same(node: Node) -> None:
    assert from_json(json.loads(json.dumps(to_json(node)))) == node
    back = parse(print_tree(node))
    assert (back, repr(back)) == (node, repr(node))  # 1, 1.0 and true are equal, but not the same


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("lifecycle:any_of:(lead,customer)", {"field": "lifecycle", "op": "any_of", "value": ["lead", "customer"]}),
        (
            "score:gte:50,title:is:'Head of ''Ops'''",
            {
                "and": [
                    {"field": "score", "op": "gte", "value": 50},
                    {"field": "title", "op": "is", "value": "Head of 'Ops'"},
                ]
            },
        ),
        (
            "or(account.industry:is:Software,not(email:empty))",
            {
                "or": [
                    {"field": "account.industry", "op": "is", "value": "Software"},
                    {"not": {"field": "email", "op": "empty"}},
                ]
            },
        ),
        (
            "none(activities,occurred_at:gt:now)",
            {
                "related": "activities",
                "match": "none",
                "where": {"field": "occurred_at", "op": "gt", "value": "now"},
            },
        ),
        ("some(deals)", {"related": "deals", "match": "some"}),
    ],
)
def test_the_text_form_is_what_the_docs_say(text: str, data: dict[str, Any]) -> None:
    assert to_json(parse(text)) == data
    assert print_tree(from_json(data)) == text


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (5, "filter"),
        ({}, "filter.field"),
        ({"field": "a"}, "filter.op"),
        ({"field": "a", "op": "is", "valu": 1}, "filter"),
        ({"and": []}, "filter.and"),
        ({"and": {}}, "filter.and"),
        ({"and": [{"field": "a", "op": "is"}, {"or": [{"field": "", "op": "is"}]}]}, "filter.and[1].or[0].field"),
        ({"and": [{"field": "a", "op": "is"}], "or": []}, "filter"),
        ({"field": "a", "op": "is", "value": {}}, "filter.value"),
        ({"field": "a", "op": "is", "value": [1, [2]]}, "filter.value[1]"),
        ({"field": "a", "op": "is", "value": [1] * 201}, "filter.value"),
        ({"field": "a", "op": "is", "value": "\ud800"}, "filter.value"),
        ({"field": "a", "op": "is", "value": "x\0"}, "filter.value"),
        ({"field": "a", "op": "is", "value": "x" * 1001}, "filter.value"),
        ({"field": "a", "op": "is", "value": float("nan")}, "filter.value"),
        ({"related": "deals", "match": "all"}, "filter.match"),
        ({"related": "deals", "where": {"not": []}}, "filter.where.not"),
        ({"not": {"not": {"not": {"not": {"not": {"not": {"field": "a", "op": "is"}}}}}}}, "filter.not.not.not.not.not"),
        ({"and": [{"field": "a", "op": "is"}] * 51}, "filter.and"),
        ({"or": [{"and": [{"field": "a", "op": "is"}] * 26}] * 2}, "filter"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_json_is_told_by_its_place(data: Any, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_json(data)
    assert str(refused.value).endswith(f"(at {place})")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends too early"),
        ("a", "ends too early"),
        ("score:gte:5)", "character 12 on (“)”)"),
        ("and(a:empty", "ends too early"),
        ("a:is:'open", "character 6"),
        ("a:is:(1,(2))", "character 9"),
        ("a:is:b c", "character 7"),
        ("not(a:empty,b:empty)", "character 12"),
        ("(" * 20_000, "character 1"),
        ("not(" * 3_900 + "a:empty" + ")" * 3_900, "levels deep"),
        ("a:empty," * 2_490 + "a:empty", "at most 50 conditions"),
        ("a:is:" + "x" * 20_000, "too long"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_character(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(text)
    assert words in str(refused.value)
