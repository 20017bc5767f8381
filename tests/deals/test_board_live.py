"""Two people's boards stay in step, through relay, stream and browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from crm.actions.sharing import share_record, unshare_record
from deals.actions.closure import close_deal
from deals.actions.deals import assign_deal, create_deal, create_deals, delete_deal, update_deal
from deals.actions.stages import move_deal
from deals.models import Deal
from tests.deals.browsing import board_url, card, column, drag, head, names, sign_in
from tests.deals.conftest import Sales, make_sales
from tests.support.browser import DESKTOP, Console
from tests.support.servers import RunningKeel

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def committed(transactional_db: None, entries: Any) -> Sales:
    return make_sales()


@pytest.fixture
def boards(
    running_keel: RunningKeel, browser: Browser, committed: Sales, console: Console
) -> Iterator[dict[str, Page]]:
    """The boards of the rep, her manager and a stranger, each in a browser of their own, with two of the rep's deals."""
    committed.deal("Crane", amount=10_000_00)
    committed.deal("Silo", amount=20_000_00)
    pages, contexts = {}, []
    for who in ("rep", "manager", "stranger"):
        context = browser.new_context(viewport=DESKTOP, locale="en-GB")
        context.set_default_timeout(10_000)
        context.on("page", console.watch)
        sign_in(context, running_keel.url, getattr(committed, who))
        pages[who] = context.new_page()
        with pages[who].expect_request(lambda request: "/live/" in request.url):
            pages[who].goto(board_url(running_keel.url, committed))
        contexts.append(context)
    yield pages
    for context in contexts:
        context.close()


def deal_of(sales: Sales, name: str) -> Deal:
    with sales.org.system():
        return Deal.everything.get(name=name)


def test_a_drag_shows_on_the_other_board_only_where_it_may(boards: dict[str, Page], committed: Sales, console: Console):
    drag(boards["rep"], card(boards["rep"], "Crane"), column(boards["rep"], "Proposal"))
    expect(column(boards["manager"], "Proposal").locator(".deal")).to_have_count(1)
    assert (names(boards["manager"], "Lead"), names(boards["manager"], "Proposal")) == (["Silo"], ["Crane"])
    assert head(boards["manager"], "Proposal") == {"count": "1", "sum": "€10,000", "weighted": "€6k"}
    assert head(boards["manager"], "Lead") == {"count": "1", "sum": "€20,000", "weighted": "€2k"}
    expect(boards["stranger"].locator(".deal")).to_have_count(0)
    assert console.lines == []


def test_everything_that_happens_to_a_deal_arrives(boards: dict[str, Page], committed: Sales):
    manager, stranger = boards["manager"], boards["stranger"]
    crane, silo = deal_of(committed, "Crane"), deal_of(committed, "Silo")
    with committed.org.acting(committed.rep) as acting:
        create_deal({"name": "Mill", "amount": 5_000_00}, acting=acting)
    expect(card(manager, "Mill")).to_be_visible()
    assert names(manager, "Lead") == ["Mill", "Silo", "Crane"]
    with committed.org.acting(committed.rep) as acting:
        update_deal(crane.pk, {"name": "Crane two", "amount": 1_000_00}, acting=acting)
    expect(card(manager, "Crane two")).to_contain_text("€1,000")
    with committed.org.acting(committed.rep) as acting:
        move_deal(silo.pk, committed.stages["Lead"].pk, after=crane.pk, acting=acting)
    expect(column(manager, "Lead").locator(".deal > a")).to_have_text(["Mill", "Crane two", "Silo"])
    with committed.org.acting(committed.rep) as acting:
        close_deal(crane.pk, "won", acting=acting)
    expect(card(manager, "Crane two")).to_have_count(0)
    with committed.org.acting(committed.rep) as acting:
        delete_deal(deal_of(committed, "Mill").pk, acting=acting)
    expect(card(manager, "Mill")).to_have_count(0)
    with committed.org.acting(committed.rep) as acting:
        share = share_record("deal", silo.pk, member=committed.stranger.pk, acting=acting)
    expect(card(stranger, "Silo")).to_be_visible()
    with committed.org.acting(committed.rep) as acting:
        unshare_record("deal", silo.pk, share.pk, acting=acting)
    expect(card(stranger, "Silo")).to_have_count(0)
    with committed.org.acting(committed.rep) as acting:
        assign_deal(silo.pk, committed.stranger.pk, acting=acting)
    expect(card(stranger, "Silo")).to_be_visible()
    expect(card(manager, "Silo")).to_have_count(0)
    expect(card(boards["rep"], "Silo")).to_have_count(0)


def test_many_changes_at_once_are_fetched_together(boards: dict[str, Page], committed: Sales):
    asked: list[str] = []
    boards["manager"].on("request", lambda request: asked.append(request.url) if "/deals/" in request.url else None)
    with committed.org.acting(committed.rep) as acting:
        create_deals([{"name": f"Deal {i}"} for i in range(45)], acting=acting)
        for i in range(5):
            create_deal({"name": f"Late {i}"}, acting=acting)
    expect(column(boards["manager"], "Lead").locator(".deal")).to_have_count(50)
    assert head(boards["manager"], "Lead")["count"] == "52"
    assert len(asked) <= 3


def test_a_card_in_the_hand_stays_there(boards: dict[str, Page], committed: Sales):
    page = boards["rep"]
    page.get_by_role("link", name="Crane", exact=True).focus()
    page.keyboard.press("Space")
    with committed.org.acting(committed.manager) as acting:
        update_deal(deal_of(committed, "Crane").pk, {"amount": 77_000_00}, acting=acting)
        move_deal(deal_of(committed, "Silo").pk, committed.stages["Commit"].pk, acting=acting)
    page.wait_for_timeout(1500)
    assert (names(page, "Lead"), names(page, "Commit")) == (["Silo", "Crane"], [])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(card(page, "Crane")).to_contain_text("€77,000")
    expect(column(page, "Commit").locator(".deal > a")).to_have_text(["Silo"])
    expect(column(page, "Qualified").locator(".deal > a")).to_have_text(["Crane"])
    expect(page.get_by_role("link", name="Crane", exact=True)).to_be_focused()


def test_a_board_that_missed_something_loads_again(boards: dict[str, Page], committed: Sales):
    page = boards["manager"]
    page.get_by_role("link", name="Silo", exact=True).focus()
    page.evaluate("document.querySelectorAll('.deal')[1].remove()")
    page.evaluate("document.dispatchEvent(new CustomEvent('keel:refetch', {detail: {}}))")
    expect(column(page, "Lead").locator(".deal > a")).to_have_text(["Silo", "Crane"])
    expect(page.get_by_role("link", name="Silo", exact=True)).to_be_focused()
