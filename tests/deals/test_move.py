"""Moving deals from stage to stage."""

from __future__ import annotations

from copy import copy
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from crm.lib.errors import Conflict, Invalid, NotFound
from crm.models import OutboxEvent
from deals import queries, rules
from deals.actions.closure import close_deal, reopen_deal
from deals.actions.stages import move_deal, undo_move, undo_reorder
from deals.models import Deal, StageChange
from tests.deals.conftest import Sales, make_sales


def events_of(deal: Deal) -> list[str]:
    return list(OutboxEvent.objects.filter(record=deal.pk).order_by("id").values_list("name", flat=True))


def test_move_deal_takes_the_stage_and_writes_history_timeline_and_event(sales: Sales, entries):
    deal = sales.deal(amount=12_000_00, currency="EUR")
    sales.age(deal, 8)
    entries.clear()
    with sales.org.acting(sales.rep) as acting:
        moved = move_deal(deal.pk, sales.stages["Discovery"].pk, acting=acting)
        change = StageChange.objects.get(pk=moved.change.pk)
        payload = OutboxEvent.objects.get(record=deal.pk, name="deal.stage_changed").payload
    after = sales.fresh(deal)
    assert (after.stage.name, after.probability, after.version) == ("Discovery", 40, 2)
    assert after.forecast_category == "pipeline"
    assert timezone.now() - after.touched_at < timedelta(minutes=1)
    assert (change.from_stage_id, change.to_stage_id) == (sales.stages["Lead"].pk, sales.stages["Discovery"].pk)
    assert (change.by_id, change.amount, change.currency, change.probability) == (sales.rep.pk, 12_000_00, "EUR", 40)
    assert change.seconds_in_stage == pytest.approx(8 * 86400, abs=60)
    assert [(e.kind, e.data["from"], e.data["to"], e.data["amount"], e.deal_id) for e in entries] == [
        ("stage_change", "Lead", "Discovery", 12_000_00, deal.pk)
    ]
    assert (payload["previous_stage"], payload["stage"], payload["owner"], payload["by"]["member"]) == (
        str(sales.stages["Lead"].pk), str(sales.stages["Discovery"].pk), str(sales.rep.pk), str(sales.rep.pk)
    )  # fmt: skip


def test_move_deal_backward_does_not_stop_its_rotting(sales: Sales):
    deal = sales.deal(stage=sales.stages["Proposal"])
    sales.age(deal, 30)
    with sales.org.acting(sales.rep) as acting:
        move_deal(deal.pk, sales.stages["Lead"].pk, acting=acting)
    after = sales.fresh(deal)
    assert timezone.now() - after.touched_at > timedelta(days=29)
    assert timezone.now() - after.stage_entered_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("before", "after", "order"),
    [
        ("B", None, "AXB"),
        ("A", None, "XAB"),
        (None, "B", "ABX"),
        (None, "A", "AXB"),
        (None, None, "XAB"),
        ("B", "A", "AXB"),
    ],
)
def test_move_deal_lands_between_its_neighbours(sales: Sales, before, after, order):
    cards = {name: sales.deal(name, stage=sales.stages["Qualified"]) for name in "BA"}
    cards["X"] = sales.deal("X")
    with sales.org.acting(sales.rep) as acting:
        move_deal(
            cards["X"].pk, sales.stages["Qualified"].pk, acting=acting,
            before=cards[before].pk if before else None, after=cards[after].pk if after else None,
        )  # fmt: skip
    assert sales.column("Qualified") == list(order)


def test_move_deal_with_a_neighbour_that_left_uses_the_other_one(sales: Sales):
    a, b, x = (sales.deal(n, stage=sales.stages[s]) for n, s in (("A", "Qualified"), ("B", "Commit"), ("X", "Lead")))
    with sales.org.acting(sales.rep) as acting:
        move_deal(x.pk, sales.stages["Qualified"].pk, before=b.pk, after=a.pk, acting=acting)
    assert sales.column("Qualified") == ["A", "X"]


def test_move_deal_lands_right_beside_its_neighbour_though_unseen_cards_stand_there(sales: Sales):
    for name, owner in (("C", sales.rep), ("B", sales.stranger), ("A", sales.rep)):
        sales.deal(name, by=owner, stage=sales.stages["Qualified"])
    x = sales.deal("X")
    with sales.org.acting(sales.rep) as acting:
        below = Deal.objects.get(name="C")
        assert Deal.objects.filter(name="B").count() == 0
        move_deal(x.pk, sales.stages["Qualified"].pk, before=below.pk, acting=acting)
    assert sales.column("Qualified") == ["A", "B", "X", "C"]


def test_reorder_changes_the_place_only(sales: Sales, entries):
    a, b = sales.deal("A"), sales.deal("B")
    entries.clear()
    with sales.org.acting(sales.rep) as acting:
        assert sales.column("Lead") == ["B", "A"]
        moved = move_deal(a.pk, sales.stages["Lead"].pk, before=b.pk, acting=acting)
        names = events_of(a)
    after = sales.fresh(a)
    assert sales.column("Lead") == ["A", "B"]
    assert (moved.change, after.version, after.stage_entered_at, entries) == (None, 1, a.stage_entered_at, [])
    assert names == ["deal.created", "deal.reordered"]


def test_column_is_renumbered_when_keys_grow_long(sales: Sales):
    top, bottom = sales.deal("top"), sales.deal("bottom")
    with sales.org.acting(sales.rep) as acting:
        Deal.objects.filter(pk=top.pk).update(position="a0" + "0" * 49 + "1")
        Deal.objects.filter(pk=bottom.pk).update(position="a0" + "0" * 48 + "1")
        x = sales.deal("X", stage=sales.stages["Qualified"])
        move_deal(x.pk, sales.stages["Lead"].pk, before=bottom.pk, acting=acting)
        longest = max(len(p) for p in Deal.objects.values_list("position", flat=True))
    assert sales.column("Lead") == ["top", "X", "bottom"]
    assert longest < 10


def test_cards_with_the_same_key_can_still_be_moved_apart(sales: Sales):
    a, b, x = sales.deal("A"), sales.deal("B"), sales.deal("X", stage=sales.stages["Qualified"])
    with sales.org.acting(sales.rep) as acting:
        Deal.objects.filter(pk__in=[a.pk, b.pk]).update(position="a5")
        move_deal(x.pk, sales.stages["Lead"].pk, after=b.pk, acting=acting)
        assert sales.column("Lead") == ["A", "B", "X"]
        move_deal(a.pk, sales.stages["Lead"].pk, after=x.pk, acting=acting)
    assert sales.column("Lead") == ["B", "X", "A"]


def test_keys_that_a_loader_invented_are_replaced(sales: Sales):
    a, b, x = sales.deal("A"), sales.deal("B"), sales.deal("X", stage=sales.stages["Qualified"])
    with sales.org.acting(sales.rep) as acting:
        Deal.objects.filter(pk=a.pk).update(position="000010")
        Deal.objects.filter(pk=b.pk).update(position="000020")
        move_deal(x.pk, sales.stages["Lead"].pk, before=b.pk, acting=acting)
    assert sales.column("Lead") == ["A", "X", "B"]


@pytest.mark.parametrize("who", ["manager", "admin"])
def test_move_deal_of_a_rep_by_those_above(sales: Sales, who):
    deal = sales.deal()
    with sales.org.acting(getattr(sales, who)) as acting:
        move_deal(deal.pk, sales.stages["Commit"].pk, acting=acting)
    assert sales.fresh(deal).stage.name == "Commit"


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_move_deal_by_somebody_without_the_right_changes_nothing(sales: Sales, who, entries):
    deal = sales.deal()
    entries.clear()
    with sales.org.acting(getattr(sales, who)) as acting, pytest.raises(NotFound):
        move_deal(deal.pk, sales.stages["Commit"].pk, acting=acting)
    after = sales.fresh(deal)
    assert (after.stage.name, after.version, after.position, entries) == ("Lead", 1, deal.position, [])


def test_move_deal_on_an_old_version_is_refused(sales: Sales):
    deal = sales.deal()
    with sales.org.acting(sales.rep) as acting:
        move_deal(deal.pk, sales.stages["Qualified"].pk, acting=acting)
        with pytest.raises(Conflict):
            move_deal(deal.pk, sales.stages["Commit"].pk, acting=acting, version=1)
    assert sales.fresh(deal).stage.name == "Qualified"


def test_won_closes_the_deal_and_won_again_keeps_the_date(sales: Sales):
    deal = sales.deal()
    with sales.org.acting(sales.rep) as acting:
        close_deal(deal.pk, "won", acting=acting)
        won = sales.fresh(deal)
        assert (won.status, won.probability, won.forecast_category, won.closed_on) == (
            "won", 100, "closed", timezone.localdate(),
        )  # fmt: skip
    with sales.org.system() as system:
        from deals.actions.stage_setup import create_stage  # noqa: PLC0415 -- for this test only

        second = create_stage(sales.pipeline.pk, {"name": "Won by tender", "kind": "won"}, acting=system)
        long_ago = timezone.localdate() - timedelta(days=40)
        Deal.objects.filter(pk=deal.pk).update(closed_on=long_ago)
    with sales.org.acting(sales.rep) as acting:
        move_deal(deal.pk, second.pk, acting=acting)
    after = sales.fresh(deal)
    assert (after.stage_id, after.closed_on, after.status) == (second.pk, long_ago, "won")


def test_lost_wants_a_reason(sales: Sales):
    deal = sales.deal(amount=5)
    with sales.org.acting(sales.rep) as acting:
        with pytest.raises(Invalid) as refused:
            close_deal(deal.pk, "lost", acting=acting)
        assert set(refused.value.fields) == {"reason"}
        assert sales.fresh(deal).status == "open"
        close_deal(deal.pk, "lost", reason="No budget", note="Next year", acting=acting)
    lost = sales.fresh(deal)
    assert (lost.status, lost.probability, lost.forecast_category) == ("lost", 0, "omitted")
    assert (lost.close_reason, lost.close_note, lost.closed_on) == ("No budget", "Next year", timezone.localdate())


def test_reopen_clears_the_closing_and_is_recorded(sales: Sales, entries):
    deal = sales.deal(stage=sales.stages["Proposal"])
    with sales.org.acting(sales.rep) as acting:
        close_deal(deal.pk, "lost", reason="No budget", acting=acting)
        entries.clear()
        reopen_deal(deal.pk, acting=acting)
        with pytest.raises(Conflict):
            reopen_deal(deal.pk, acting=acting)
        steps = list(StageChange.objects.filter(deal=deal).order_by("at").values_list("to_stage__name", flat=True))
    after = sales.fresh(deal)
    assert (after.stage.name, after.status, after.probability, after.closed_on, after.close_reason) == (
        "Proposal", "open", 60, None, "",
    )  # fmt: skip
    assert steps == ["Proposal", "Lost", "Proposal"]
    assert [(e.data["from"], e.data["to"]) for e in entries] == [("Lost", "Proposal")]


def test_undo_move_restores_everything_the_move_changed(sales: Sales):
    deal = sales.deal("X", probability=15)
    sales.deal("above")
    sales.age(deal, 20)
    before = sales.fresh(deal)
    with sales.org.acting(sales.rep) as acting:
        moved = close_deal(deal.pk, "lost", reason="No budget", note="later", acting=acting)
        undo_move(deal.pk, version=moved.deal.version, acting=acting)
        last = StageChange.objects.filter(deal=deal).order_by("-at").first()
    after = sales.fresh(deal)
    columns = [
        "stage_id", "pipeline_id", "position", "probability", "probability_by_hand", "status", "forecast_category",
        "closed_on", "close_reason", "close_note", "stage_entered_at", "touched_at",
    ]  # fmt: skip
    assert {c: getattr(after, c) for c in columns} == {c: getattr(before, c) for c in columns}
    assert (after.version, last.undoes_id, sales.column("Lead")) == (3, moved.change.pk, ["above", "X"])


def test_undo_move_after_another_change_is_refused(sales: Sales):
    deal = sales.deal()
    with sales.org.acting(sales.rep) as acting:
        first = move_deal(deal.pk, sales.stages["Qualified"].pk, acting=acting)
        second = move_deal(deal.pk, sales.stages["Commit"].pk, acting=acting)
        with pytest.raises(Conflict):
            undo_move(deal.pk, version=first.deal.version, acting=acting)
        undone = undo_move(deal.pk, version=second.deal.version, acting=acting)
        with pytest.raises(Conflict):
            undo_move(deal.pk, version=undone.deal.version, acting=acting)
    assert sales.fresh(deal).stage.name == "Qualified"


def test_undo_move_goes_beside_a_card_that_took_the_place(sales: Sales):
    low, deal, top = sales.deal("low"), sales.deal("X"), sales.deal("top")
    other = sales.deal("Y", stage=sales.stages["Qualified"])
    with sales.org.acting(sales.rep) as acting:
        moved = move_deal(deal.pk, sales.stages["Qualified"].pk, acting=acting)
        move_deal(other.pk, sales.stages["Lead"].pk, before=low.pk, after=top.pk, acting=acting)
        undo_move(deal.pk, version=moved.deal.version, acting=acting)
        positions = list(Deal.objects.filter(stage=sales.stages["Lead"]).values_list("position", flat=True))
    assert sales.column("Lead") == ["top", "Y", "X", "low"]
    assert len(set(positions)) == 4


def test_undo_reorder_puts_the_card_back(sales: Sales):
    a, _b, c = (sales.deal(name) for name in "ABC")
    with sales.org.acting(sales.rep) as acting:
        moved = move_deal(c.pk, sales.stages["Lead"].pk, after=a.pk, acting=acting)
        assert sales.column("Lead") == ["B", "A", "C"]
        undone = undo_reorder(c.pk, version=1, position=moved.deal.position, former=moved.former, acting=acting)
        names = events_of(c)
    after = sales.fresh(c)
    assert sales.column("Lead") == ["C", "B", "A"]
    assert (moved.former, after.position, after.version, undone.change) == (c.position, c.position, 1, None)
    assert names == ["deal.created", "deal.reordered", "deal.reordered"]


def test_undo_reorder_goes_beside_a_card_that_took_the_place(sales: Sales):
    low, deal, top = sales.deal("low"), sales.deal("X"), sales.deal("top")
    other = sales.deal("Y", stage=sales.stages["Qualified"])
    with sales.org.acting(sales.rep) as acting:
        moved = move_deal(deal.pk, sales.stages["Lead"].pk, before=top.pk, acting=acting)
        move_deal(other.pk, sales.stages["Lead"].pk, before=low.pk, after=top.pk, acting=acting)
        undo_reorder(deal.pk, version=1, position=moved.deal.position, former=moved.former, acting=acting)
    assert sales.column("Lead") == ["top", "Y", "X", "low"]


def test_undo_reorder_after_the_column_was_renumbered_by_it(sales: Sales):
    a, b, x = sales.deal("A"), sales.deal("B"), sales.deal("X")
    with sales.org.acting(sales.rep) as acting:
        Deal.objects.filter(pk=b.pk).update(position="a0" + "0" * 49 + "1")
        Deal.objects.filter(pk=a.pk).update(position="a0" + "0" * 48 + "1")
        Deal.objects.filter(pk=x.pk).update(position="a1")
        moved = move_deal(x.pk, sales.stages["Lead"].pk, before=a.pk, acting=acting)
        assert sales.column("Lead") == ["B", "X", "A"]
        undo_reorder(x.pk, version=1, position=moved.deal.position, former=moved.former, acting=acting)
    assert sales.column("Lead") == ["B", "A", "X"]


def test_undo_reorder_of_a_deal_that_has_changed_is_refused(sales: Sales):
    a, b, c = sales.deal("A"), sales.deal("B"), sales.deal("C")
    lead = sales.stages["Lead"].pk
    with sales.org.acting(sales.rep) as acting:
        first = move_deal(c.pk, lead, after=a.pk, acting=acting)
        second = move_deal(c.pk, lead, after=b.pk, acting=acting)
        with pytest.raises(Conflict):
            undo_reorder(c.pk, version=1, position=first.deal.position, former=first.former, acting=acting)
        move_deal(c.pk, sales.stages["Qualified"].pk, acting=acting)
        with pytest.raises(Conflict):
            undo_reorder(c.pk, version=1, position=second.deal.position, former=second.former, acting=acting)
    assert (sales.column("Lead"), sales.column("Qualified")) == (["B", "A"], ["C"])


@pytest.mark.parametrize("former", ["", "a b", "é", "a" * 51])
def test_undo_reorder_to_what_is_no_key_is_refused(sales: Sales, former: str):
    deal = sales.deal()
    with sales.org.acting(sales.rep) as acting, pytest.raises(Invalid):
        undo_reorder(deal.pk, version=1, position=deal.position, former=former, acting=acting)
    assert sales.fresh(deal).position == deal.position


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_undo_reorder_by_somebody_without_the_right_changes_nothing(sales: Sales, who: str):
    deal = sales.deal()
    with sales.org.acting(getattr(sales, who)) as acting, pytest.raises(NotFound):
        undo_reorder(deal.pk, version=1, position=deal.position, former="a5", acting=acting)
    assert sales.fresh(deal).position == deal.position


# ---------------------------------------------------------------- the statement that writes a step


def step_by_orm(deal: Deal, change: StageChange, now: datetime) -> None:
    """What queries.write_step does, row by row."""
    columns = ("pipeline_id", "stage_id", "stage_entered_at", "touched_at", "version", *rules.RESTORED)
    Deal.objects.filter(pk=deal.pk).update(**{c: getattr(deal, c) for c in columns}, updated_at=now)
    copy(change).save(force_insert=True)
    StageChange.objects.filter(pk=change.pk).update(created_at=now)  # else it is the moment of saving


def rows_of(deal: Deal) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return Deal.objects.filter(pk=deal.pk).values()[0], list(StageChange.objects.filter(deal=deal).values())


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[StageChange]:
    """The steps that were written twice: by the ORM, taken back, and by the statement; the rows are the same."""
    found: list[StageChange] = []
    write_step = queries.write_step

    def write(deal: Deal, change: StageChange, now: datetime) -> None:
        with transaction.atomic():
            step_by_orm(deal, change, now)
            expected = rows_of(deal)
            transaction.set_rollback(True)
        write_step(deal, change, now)
        assert rows_of(deal) == expected
        found.append(change)

    monkeypatch.setattr(queries, "write_step", write)
    return found


def test_write_step_writes_what_the_orm_writes(sales: Sales, compared: list[StageChange]):
    bystander = sales.deal("Bystander", amount=1)
    deal = sales.deal(amount=12_000_00, currency="USD", probability=15)
    sales.age(deal, 8)
    with sales.org.acting(sales.rep) as acting:
        untouched = rows_of(bystander)
        move_deal(deal.pk, sales.stages["Discovery"].pk, acting=acting)
        lost = close_deal(deal.pk, "lost", reason='No "budget"', note="Næste år", acting=acting)
        undo_move(deal.pk, version=lost.deal.version, acting=acting)
        close_deal(deal.pk, "won", acting=acting)
        reopen_deal(deal.pk, acting=acting)
        assert rows_of(bystander) == untouched
    with sales.org.system() as system:
        move_deal(deal.pk, sales.stages["Commit"].pk, acting=system)
    assert len(compared) == 6


def test_write_step_stays_inside_the_organisation(sales: Sales):
    theirs = make_sales()
    deal = theirs.deal("Theirs")
    with theirs.org.system():
        before = rows_of(deal)
        moved = StageChange(
            deal=deal, from_stage=theirs.stages["Lead"], to_stage=theirs.stages["Commit"], at=timezone.now(),
            currency="EUR", probability=90, deal_version=2,
        )  # fmt: skip
        deal.stage, deal.version = theirs.stages["Commit"], 2
    for org_id in (theirs.org.id, sales.org.id):
        moved.org_id = org_id
        with sales.org.system(), pytest.raises(DatabaseError), transaction.atomic():
            queries.write_step(deal, moved, timezone.now())
    with theirs.org.system():
        assert rows_of(deal) == before
