"""The board's statements: the same as by the ORM, for every reach; sums in one currency; what a reader may see."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from contacts.models import Account
from crm import access
from crm.enums import ShareLevel
from crm.models import ExchangeRate, Membership
from crm.tenancy.context import Actor
from deals import board, queries
from deals.actions.closure import close_deal
from deals.actions.deals import delete_deal
from deals.actions.pipelines import create_pipeline, delete_pipeline
from deals.models import Deal, DealShare, Pipeline, Stage
from tests.deals.conftest import Sales

BASE = "EUR"


def filters(actor: Actor, text: str) -> Any:
    return board.filters_of(QueryDict(text), actor)


def rows_by_orm(sales: Sales, actor: Actor, text: str) -> Any:
    from crm.records import lists  # noqa: PLC0415 -- beside its only use
    from deals.records import DEAL  # noqa: PLC0415 -- beside its only use

    rows = lists.filtered(DEAL, filters(actor, text), actor).filter(pipeline=sales.pipeline, status="open")
    return rows.filter(access.visible_q(Deal, actor))


def sums_by_orm(sales: Sales, actor: Actor, text: str) -> dict[str, Any]:
    """Count and sums of each stage, deal by deal."""
    found: dict[str, Any] = {}
    for deal in rows_by_orm(sales, actor, text).select_related("stage"):
        count, amounts, weighted = found.setdefault(deal.stage.name, (0, {}, {}))
        amounts[deal.currency] = amounts.get(deal.currency, 0) + (deal.amount or 0)
        weighted[deal.currency] = weighted.get(deal.currency, 0) + (deal.weighted or 0)
        found[deal.stage.name] = (count + 1, amounts, weighted)
    return found


def cards_by_orm(sales: Sales, actor: Actor, text: str, limit: int) -> list[tuple[Any, ...]]:
    """The first cards of each column, column by column."""
    found = []
    seen_accounts = set(access.visible(Account, actor).values_list("pk", flat=True))
    for stage in queries.open_stages(sales.pipeline.pk):
        rows = rows_by_orm(sales, actor, text).filter(stage=stage).select_related("owner__user", "account")
        for deal in rows.order_by("position", "id")[:limit]:
            account = deal.account.name if deal.account_id in seen_accounts else None
            writable = Deal.objects.filter(access.writable_q(Deal, actor), pk=deal.pk).exists()
            found.append((deal.pk, stage.pk, deal.position, deal.name, account, deal.amount, deal.owner.name, writable))
    return found


def brief(row: queries.CardRow, sight: queries.Sight) -> tuple[Any, ...]:
    writable = sight.may_write(row.id, row.owner_id)
    return row.id, row.stage_id, row.position, row.name, row.account, row.amount, row.owner, writable


def whole_board(sales: Sales, actor: Actor, text: str) -> board.Board:
    view = board.view_of(QueryDict(text), sales.pipeline.pk, actor, BASE)
    return board.whole(view, queries.setting().stages[sales.pipeline.pk])


def setting_by_orm() -> queries.Setting:
    """The pipelines, and their stages in order."""
    found = queries.Setting()
    for pipeline in Pipeline.objects.order_by("position", "id"):
        found.pipelines.append((pipeline.pk, pipeline.name, pipeline.is_default))
        rows = Stage.objects.filter(pipeline=pipeline).order_by("position", "id")
        found.stages[pipeline.pk] = [
            queries.StageSums(s.pk, s.name, s.kind, s.tone, s.probability, s.rot_days) for s in rows
        ]
    return found


def test_setting_answers_what_the_orm_answers(sales: Sales):
    with sales.org.system() as acting:
        create_pipeline("Renewals", acting=acting)
        empty = create_pipeline("Empty", acting=acting)
        Stage.objects.filter(pipeline=empty).update(deleted_at=timezone.now())
        delete_pipeline(create_pipeline("Gone", acting=acting).pk, acting=acting)
        found = queries.setting()
        assert found == setting_by_orm()
    assert [p.name for p in found.pipelines] == ["Sales pipeline", "Renewals", "Empty"]


@pytest.fixture
def full(sales: Sales) -> Sales:
    """Deals of several people in three currencies, some shared, closed, deleted or in another pipeline."""
    owners = [sales.rep, sales.stranger, sales.manager, sales.admin]
    names = [s for s in sales.stages if s not in ("Won", "Lost")]
    with sales.org.system():
        accounts = [Account.objects.create(name=f"Account {i}", owner=owners[i % 4]) for i in range(4)]
        ExchangeRate.objects.create(currency="USD", rate=Decimal("0.9"), valid_from=date(2026, 1, 1))
        ExchangeRate.objects.create(currency="USD", rate=Decimal("0.92"), valid_from=timezone.localdate())
        ExchangeRate.objects.create(currency="USD", rate=5, valid_from=timezone.localdate() + timedelta(days=1))
    for i in range(48):
        owner = owners[i % 4]
        deal = sales.deal(
            f"Deal {i}",
            by=sales.admin,
            owner=owner,
            stage=sales.stages[names[i % 5]],
            amount=None if i % 7 == 0 else i * 1001,
            currency=("EUR", "USD", "CHF")[i % 3],
            probability=33 if i % 5 == 1 else None,
            close_date=timezone.localdate() + timedelta(days=i - 20) if i % 6 else None,
            account=accounts[i % 4] if i % 2 else None,
        )
        if i % 8 == 1:
            share(deal, member=sales.rep, level="write" if i % 16 == 1 else "read")
        if i % 8 == 4:
            share(deal, team=sales.org.team(f"Team {i}", sales.rep), level="read")
        if i % 12 == 6:
            share(deal, member=sales.rep, level="read", until=timezone.now() - timedelta(days=1))
        with sales.org.acting(sales.admin) as acting:
            if i % 11 == 3:
                close_deal(deal.pk, "won", acting=acting)
            elif i % 11 == 4:
                delete_deal(deal.pk, acting=acting)
    return sales


def share(deal: Deal, *, level: str, member: Membership | None = None, team: Any = None, until: Any = None) -> None:
    from crm.records.permissions import permission_for  # noqa: PLC0415 -- beside its only use
    from crm.tenancy.context import org_context  # noqa: PLC0415 -- beside its only use

    with org_context(Actor.system(deal.org_id)):
        DealShare.objects.create(
            content_object=deal,
            member=member,
            team=team,
            user=member.user if member else None,
            level=level,
            until=until,
            permission=permission_for(Deal, ShareLevel(level)),
        )


FILTERS = [
    "",
    "owner=me",
    "filter=or(probability:gt:30,amount:lt:250),not(account.name:is:'Account 1')&owner=me",
    "filter=none(activities,occurred_at:gt:now),stage:any_of:(x)",
    "filter=some(contacts,last_name:contains:a)",
    "filter=not(stage:any_of:(x))",
    "close_date=this_month",
    "close_date.from=2000-01-01&close_date.to=2100-01-01",
    "amount.min=100&amount.max=300",
    "q=deal 1",
]


@pytest.mark.parametrize("who", ["admin", "manager", "rep", "stranger", "reader"])
def test_board_statements_answer_what_the_orm_answers(full: Sales, who):
    with full.org.acting(getattr(full, who)) as actor:
        for text in FILTERS:
            view = board.view_of(QueryDict(text), full.pipeline.pk, actor, BASE)
            sight, where = view.sight, view.where
            stages = [s for s in queries.setting().stages[full.pipeline.pk] if s.kind == "open"]
            view.sum_up(stages)
            found = {s.name: (s.count, s.amounts, s.weighted) for s in stages if s.count}
            cards = [brief(row, sight) for row in queries.board_cards([s.id for s in stages], sight, where, limit=4)]
            assert (text, found) == (text, sums_by_orm(full, actor, text))
            assert (text, cards) == (text, cards_by_orm(full, actor, text, 4))
            ids = [*Deal.everything.values_list("pk", flat=True), full.rep.pk]
            one_by_one = {brief(row, sight) for row in queries.cards_by_id(full.pipeline.pk, ids, sight, where)}
            assert (text, one_by_one) == (text, set(cards_by_orm(full, actor, text, 1000)))


def test_board_of_each_reach_differs(full: Sales):
    counts = {}
    for who in ("admin", "manager", "rep", "stranger", "reader"):
        with full.org.acting(getattr(full, who)) as actor:
            counts[who] = whole_board(full, actor, "").count
    assert counts["admin"] == counts["reader"] > counts["manager"] > counts["rep"] > 0
    assert counts["stranger"] < counts["rep"]


def test_board_cards_go_on_after_the_last_one(full: Sales):
    with full.org.acting(full.rep) as actor:
        stage = full.stages["Qualified"].pk
        sight = queries.Sight(actor)
        everything = queries.board_cards([stage], sight, limit=100)
        last = everything[1]
        rest = queries.board_cards([stage], sight, limit=100, after=(last.position, last.id))
    assert rest == everything[2:]
    assert rest


def test_sums_use_the_rate_that_holds_today(full: Sales):
    with full.org.acting(full.admin) as actor:
        whole = whole_board(full, actor, "")
        column = next(c for c in whole.columns if c.stage.name == "Qualified")
        amounts = sums_by_orm(full, actor, "")["Qualified"][1]
    expected = amounts["EUR"] + int((Decimal(amounts["USD"]) * Decimal("0.92")).quantize(Decimal(1), "ROUND_HALF_UP"))
    assert column.total.amount == expected
    assert column.total.apart == {"CHF": amounts["CHF"]}
    assert "1 USD = 0.92 EUR" in column.note
    assert "CHF" in column.note
    assert whole.count == sum(c.stage.count for c in whole.columns)


def test_value_filter_compares_in_the_base_currency(sales: Sales):
    with sales.org.system():
        ExchangeRate.objects.create(currency="JPY", rate=Decimal("0.006"), valid_from=date(2026, 1, 1))
    sales.deal("euro", amount=600_00, currency="EUR")
    sales.deal("yen", amount=100_000, currency="JPY")
    sales.deal("few yen", amount=90_000, currency="JPY")
    sales.deal("franc", amount=900_00, currency="CHF")
    sales.deal("none")
    with sales.org.acting(sales.rep) as actor:
        whole = whole_board(sales, actor, "amount.min=599.50&amount.max=650")
    assert {card.name for column in whole.columns for card in column.cards} == {"euro", "yen"}


def test_stage_filter_shows_those_columns_only(sales: Sales):
    sales.deal("A")
    with sales.org.acting(sales.rep) as actor:
        wanted = sales.stages["Lead"].pk, sales.stages["Commit"].pk
        text = "&".join(f"stage={pk}" for pk in wanted)
        whole = whole_board(sales, actor, text)
    assert [(c.stage.name, len(c.cards)) for c in whole.columns] == [("Lead", 1), ("Commit", 0)]


def test_changes_tell_nothing_of_deals_that_are_not_the_readers(full: Sales):
    with full.org.system():
        ids = list(Deal.everything.values_list("pk", flat=True))
    with full.org.acting(full.stranger) as actor:
        view = board.view_of(QueryDict(""), full.pipeline.pk, actor, BASE)
        found = board.changes(view, queries.setting().stages[full.pipeline.pk], ids, [])
        mine = {row.id for row in queries.cards_by_id(full.pipeline.pk, ids, view.sight)}
    assert {card.id for _stage, card in found.cards} == mine
    assert set(found.removed) == set(ids) - mine
