"""Moves at the same moment, in real transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from crm.lib.errors import Conflict
from deals.actions.deals import update_deal
from deals.actions.stage_setup import delete_stage, update_stage
from deals.actions.stages import move_deal
from deals.models import Deal, StageChange
from tests.deals.conftest import Sales, make_sales

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def committed(entries: Any) -> Sales:
    return make_sales()


def together(*works: Callable[[], Any]) -> list[Any]:
    """Runs functions at the same moment, each over a connection of its own; answers what they gave or raised."""
    ready = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)

    def run(index: int, work: Callable[[], Any]) -> None:
        try:
            ready.wait(10)
            found[index] = work()
        except Exception as error:  # noqa: BLE001 -- told to the test
            found[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i, work)) for i, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def mover(sales: Sales, deal: Deal, stage: str, **place: Any) -> Callable[[], Any]:
    def work() -> Any:
        with sales.org.acting(sales.rep) as acting:
            return move_deal(deal.pk, sales.stages[stage].pk, acting=acting, **place)

    return work


def test_moves_into_the_same_gap_get_places_of_their_own(committed: Sales):
    low, top = committed.deal("low", stage=committed.stages["Commit"]), None
    top = committed.deal("top", stage=committed.stages["Commit"])
    movers = [committed.deal(f"m{i}") for i in range(6)]
    answers = together(*(mover(committed, d, "Commit", before=low.pk, after=top.pk) for d in movers))
    assert [type(a).__name__ for a in answers] == ["Moved"] * 6
    with committed.org.system():
        rows = list(Deal.objects.filter(stage=committed.stages["Commit"]).order_by("position").values_list("position"))
    assert len(set(rows)) == 8
    column = committed.column("Commit")
    assert (column[0], column[-1], set(column[1:-1])) == ("top", "low", {f"m{i}" for i in range(6)})


def test_moves_of_one_deal_follow_each_other(committed: Sales):
    deal = committed.deal()
    stages = ["Qualified", "Discovery", "Proposal", "Commit"]
    answers = together(*(mover(committed, deal, stage) for stage in stages))
    assert [type(a).__name__ for a in answers] == ["Moved"] * 4
    with committed.org.system():
        steps = list(StageChange.objects.filter(deal=deal).order_by("deal_version", "id"))
    after = committed.fresh(deal)
    assert [s.deal_version for s in steps] == [1, 2, 3, 4, 5]
    assert [s.from_stage_id for s in steps[1:]] == [s.to_stage_id for s in steps[:-1]]
    assert (after.version, after.stage_id) == (5, steps[-1].to_stage_id)


def test_of_two_edits_on_one_version_one_is_refused(committed: Sales):
    deal = committed.deal()

    def edit(amount: int) -> Callable[[], Any]:
        def work() -> Any:
            with committed.org.acting(committed.rep) as acting:
                return update_deal(deal.pk, {"amount": amount}, acting=acting, version=1).amount

        return work

    answers = together(edit(1), edit(2))
    kept = [a for a in answers if isinstance(a, int)]
    assert (len(kept), sum(isinstance(a, Conflict) for a in answers)) == (1, 1)
    assert (committed.fresh(deal).amount, committed.fresh(deal).version) == (kept[0], 2)


def test_a_move_into_a_stage_that_is_deleted_ends_somewhere(committed: Sales):
    deals = [committed.deal(f"d{i}", stage=committed.stages["Commit"]) for i in range(3)]
    coming = [committed.deal(f"c{i}") for i in range(3)]

    def delete() -> Any:
        with committed.org.acting(committed.admin) as acting:
            return delete_stage(committed.stages["Commit"].pk, move_to=committed.stages["Proposal"].pk, acting=acting)

    together(delete, *(mover(committed, d, "Commit") for d in coming), *(mover(committed, d, "Lead") for d in deals))
    with committed.org.system():
        live = {s.pk for s in committed.stages.values()} - {committed.stages["Commit"].pk}
        assert set(Deal.objects.values_list("stage_id", flat=True)) <= live
        assert Deal.objects.count() == 6


def test_probability_and_moves_do_not_wait_for_each_other(committed: Sales):
    deals = [committed.deal(f"d{i}", stage=committed.stages["Proposal"]) for i in range(4)]

    def change(probability: int) -> Callable[[], Any]:
        def work() -> Any:
            with committed.org.acting(committed.admin) as acting:
                return update_stage(committed.stages["Proposal"].pk, {"probability": probability}, acting=acting)

        return work

    answers = together(change(61), *(mover(committed, d, "Commit") for d in deals), change(62))
    assert [a for a in answers if isinstance(a, Exception)] == []
    assert committed.column("Proposal") == []
    assert {committed.fresh(d).probability for d in deals} == {90}
