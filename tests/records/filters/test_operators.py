"""Whatever is filtered by, the database answers what plain Python does; nothing is told of what one does not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm import access
from crm.records.filters.compiler import compile_filter
from crm.records.filters.operators import OPERATORS
from crm.records.filters.reader import Reader
from crm.records.filters.text import parse, print_tree
from crm.records.filters.tree import Condition, from_json, to_json
from crm.records.registry import FieldType, registry
from crm.tenancy.context import org_context
from tests.records.filters.fleet import NOW, SAILOR, ZONE, Fleet, make_fleet, vessel_type
from tests.records.filters.plain import holds
from tests.records.filters.trees import conditions, trees
from tests.vessels.models import Sailor, Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    known = registry.get("vessel")
    registry.register(vessel_type())
    yield make_fleet()
    registry.register(known)


def found(fleet: Fleet, member: Any, node: Any, record_type: Any, model: Any = Vessel) -> set[Any]:
    """The rows that a filter leaves of what a member sees."""
    actor = fleet.org.actor(member)
    with transaction.atomic(), org_context(actor), timezone.override(ZONE):
        condition = compile_filter(node, record_type, actor, Reader(actor, NOW))
        return set(access.visible(model, actor).filter(condition).values_list("pk", flat=True))


def expected(fleet: Fleet, member: Any, node: Any, kind: str = "vessel") -> set[Any]:
    world = fleet.world(member)
    return {pk for pk, row in world.seen[kind].items() if holds(node, row, world)}


def test_filters_answer_what_plain_python_answers(fleet: Fleet) -> None:
    record_type = registry.get("vessel")

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(node=trees(fleet), who=st.sampled_from(["admin", "rep"]))
    def agree(node: Any, who: str) -> None:
        member = getattr(fleet, who)
        assert found(fleet, member, node, record_type) == expected(fleet, member, node)
        assert from_json(to_json(node)) == node
        assert parse(print_tree(node)) == node

    agree()


@pytest.mark.parametrize(
    "field_type", sorted(set(OPERATORS) - {FieldType.URL, FieldType.PHONE, FieldType.EMAIL, FieldType.LONG_TEXT})
)
def test_every_operator_of_a_type_answers_what_plain_python_answers(fleet: Fleet, field_type: FieldType) -> None:
    record_type = registry.get("vessel")
    fields = [field for field in record_type.fields if field.type == field_type and field.filterable]
    assert fields

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(node=conditions(fleet, fields))
    def agree(node: Condition) -> None:
        assert found(fleet, fleet.admin, node, record_type) == expected(fleet, fleet.admin, node)

    agree()


def test_a_lookup_leads_to_what_the_reader_sees_alone(fleet: Fleet) -> None:
    node = Condition("vessel.name", "contains", "e")
    for member in (fleet.admin, fleet.rep):
        assert found(fleet, member, node, SAILOR, Sailor) == expected(fleet, member, node, "sailor")
    hidden = {pk for pk, row in fleet.sailors.items() if row["owner"] == fleet.rep.id and row["vessel"]}
    hidden = {pk for pk in hidden if fleet.vessels[fleet.sailors[pk]["vessel"]]["owner"] != fleet.rep.id}
    assert hidden
    nothing = found(fleet, fleet.rep, Condition("vessel", "empty"), SAILOR, Sailor)
    assert nothing >= hidden


def test_what_is_stored_in_another_form_is_no_value(fleet: Fleet) -> None:
    record_type = registry.get("vessel")
    with fleet.org.system():
        odd = {"draught": "deep", "charter": 5, "uses": "ice", "sister": "none", "surveyed": {}, "insured": "yes"}
        Vessel.objects.update(custom=odd)
    for text in (
        "draught:gt:1",
        "charter:gt:1",
        "sister:any_of:(0199b1c6-0000-7000-8000-000000000000)",
        "sister.name:contains:e",
        "insured:is:true",
    ):
        assert found(fleet, fleet.admin, parse(text), record_type) == set()


def test_phones_and_addresses_are_compared_by_what_is_meant(fleet: Fleet) -> None:
    record_type = registry.get("vessel")
    with fleet.org.system():
        one, other = Vessel.objects.order_by("id")[:2]
        Vessel.objects.filter(pk=one.pk).update(
            custom={"radio": "+49 (30) 123-45", "homepage": "https://Kiel.example/"}
        )
        Vessel.objects.filter(pk=other.pk).update(custom={"radio": "call us"})
    for text in ("radio:contains:'30 1-2'", "radio:starts_with:'+49'", "homepage:ends_with:'KIEL.example/'"):
        assert found(fleet, fleet.admin, parse(text), record_type) == {one.pk}, text
