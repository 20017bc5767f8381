"""Losing a deal in a cell of a list, and on a board of stages: the reason is asked for, and the page follows."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from deals.models import Deal
from tests.deals.browsing import card, column, drag, sign_in
from tests.deals.conftest import Sales, make_sales
from tests.support.axe import violations
from tests.support.browser import Console

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def committed(transactional_db: None, entries: Any) -> Sales:
    return make_sales()


@pytest.fixture
def crane(committed: Sales) -> Deal:
    committed.deal("Silo")
    return committed.deal("Crane")


def _open(page: Page, live_server: LiveServer, sales: Sales, query: str) -> None:
    sign_in(page.context, live_server.url, sales.rep)
    page.goto(f"{live_server.url}/w/{sales.org.slug}/deals/list/{query}")


def _cell(page: Page, deal: Deal, key: str) -> Locator:
    return page.locator(f'tr[data-id="{deal.pk}"] td[data-col="{key}"]')


def _state(sales: Sales, deal: Deal) -> tuple[str, str]:
    now = sales.fresh(deal)
    return now.stage.name, now.close_reason


def _refusals(console: Console) -> list[str]:
    """What the console says besides that an answer was wanted: the browser reports a 422 as a failed resource."""
    return [line for line in console.lines if "422" not in line]


def test_a_cell_asks_why_and_follows(
    live_server: LiveServer, page: Page, committed: Sales, crane: Deal, console: Console
):
    _open(page, live_server, committed, "?cols=stage,status&sort=name")
    stage, dialog = _cell(page, crane, "stage"), page.get_by_role("dialog", name="Mark as lost")
    stage.dblclick()
    stage.get_by_role("combobox").select_option("Lost")
    page.keyboard.press("Tab")
    expect(dialog).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(stage).to_have_text("Lead")
    expect(page.locator(".cell-form")).to_have_count(0)
    assert _state(committed, crane) == ("Lead", "")
    expect(stage).to_be_focused()
    page.keyboard.press("Enter")
    stage.get_by_role("combobox").select_option("Lost")
    page.keyboard.press("Enter")
    dialog.get_by_label("Reason").select_option("No budget")
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(dialog).to_be_hidden()
    expect(stage).to_have_text("Lost")
    expect(stage).to_be_focused()
    expect(_cell(page, crane, "status")).to_have_text("Lost")
    assert _state(committed, crane) == ("Lost", "No budget")
    page.locator(".toast", has_text="Crane moved to Lost").get_by_role("button", name="Undo").click()
    expect(stage).to_have_text("Lead")
    expect(_cell(page, crane, "status")).to_have_text("Open")
    assert _refusals(console) == []


def test_a_card_waits_for_the_reason(
    live_server: LiveServer, page: Page, committed: Sales, crane: Deal, console: Console
):
    _open(page, live_server, committed, "?layout=board&by=stage&sort=name")
    dialog = page.get_by_role("dialog", name="Mark as lost")
    drag(page, card(page, "Crane"), column(page, "Lost"), down=0.2)
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()
    expect(column(page, "Lead").locator(".deal")).to_have_count(2)
    expect(page.locator(".toast")).to_have_count(0)
    assert _state(committed, crane) == ("Lead", "")
    # By keys, and with a reason this time.
    page.get_by_role("link", name="Crane", exact=True).focus()
    page.keyboard.press(" ")
    for _column in range(len(committed.stages) - 1):
        page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    dialog.get_by_label("Reason").select_option("Timing")
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(column(page, "Lost").locator(".deal")).to_have_count(1)
    expect(page.locator(".is-saving")).to_have_count(0)
    assert _state(committed, crane) == ("Lost", "Timing")
    for name in ("Lead", "Lost"):
        expect(page.locator(".col", has=column(page, name)).locator(".count")).to_have_text("1")
    assert violations(page) == []
    # The card has the version of now: it can be moved on.
    drag(page, card(page, "Crane"), column(page, "Commit"), down=0.2)
    expect(page.locator(".toast", has_text="Crane moved to Commit")).to_be_visible()
    assert _state(committed, crane)[0] == "Commit"
    page.locator(".toast", has_text="Crane moved to Lost").get_by_role("button", name="Undo").click()
    expect(page.locator('.toast[data-kind="error"]', has_text="the deal has changed since")).to_be_visible()
    assert _state(committed, crane)[0] == "Commit"
    assert [line for line in _refusals(console) if "409" not in line] == []


def test_undo_on_the_board_brings_the_card_back(
    live_server: LiveServer, page: Page, committed: Sales, crane: Deal, console: Console
):
    _open(page, live_server, committed, "?layout=board&by=stage&sort=name")
    drag(page, card(page, "Crane"), column(page, "Lost"), down=0.2)
    dialog = page.get_by_role("dialog", name="Mark as lost")
    dialog.get_by_label("Reason").select_option("Timing")
    dialog.get_by_role("button", name="Mark as lost").click()
    page.locator(".toast", has_text="Crane moved to Lost").get_by_role("button", name="Undo").click()
    expect(column(page, "Lead").locator(".deal")).to_have_count(2)
    assert _state(committed, crane) == ("Lead", "")
    assert _refusals(console) == []
