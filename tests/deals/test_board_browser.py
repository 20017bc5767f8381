"""The board in a browser: by mouse, touch and keyboard; what the server refuses; undo; won and lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from deals.actions.deals import update_deal
from deals.models import Deal
from tests.deals.browsing import board_url, card, column, drag, head, names, phone, sign_in, stage_of
from tests.deals.conftest import Sales, make_sales
from tests.support.browser import Console

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def committed(transactional_db: None, entries: Any) -> Sales:
    return make_sales()


@pytest.fixture
def deals(committed: Sales) -> dict[str, Deal]:
    made = {}
    for name, stage, amount in (
        ("Crane", "Lead", 10_000_00),
        ("Silo", "Lead", 20_000_00),
        ("Belt", "Qualified", 40_000_00),
        ("Pump", "Qualified", 80_000_00),
    ):
        made[name] = committed.deal(name, stage=committed.stages[stage], amount=amount)
    return made


@pytest.fixture
def board(live_server: LiveServer, browser_context: BrowserContext, committed: Sales, deals: Any) -> Iterator[Page]:
    sign_in(browser_context, live_server.url, committed.rep)
    page = browser_context.new_page()
    # Other people's changes are tests of their own (test_board_live.py); here nothing may come in between.
    page.route("**/live/poll/**", lambda route: route.fulfill(json={"wait": 600, "events": [], "stream": False}))
    page.goto(board_url(live_server.url, committed))
    return page


def test_drag_moves_the_card_and_the_totals_and_undo_takes_it_back(board: Page, committed, deals, console: Console):
    assert (names(board, "Lead"), names(board, "Qualified")) == (["Silo", "Crane"], ["Pump", "Belt"])
    drag(board, card(board, "Crane"), card(board, "Belt"), down=0.9)
    expect(board.locator(".toast", has_text="Crane moved to Qualified")).to_be_visible()
    expect(board.locator(".is-saving")).to_have_count(0)
    assert names(board, "Qualified") == ["Pump", "Belt", "Crane"]
    assert head(board, "Lead") == {"count": "1", "sum": "€20,000", "weighted": "€2k"}
    assert head(board, "Qualified") == {"count": "3", "sum": "€130,000", "weighted": "€33k"}
    assert stage_of(committed, deals["Crane"]) == "Qualified"
    board.locator(".toast").get_by_role("button", name="Undo").click()
    expect(board.locator(".toast", has_text="Crane is back in Lead")).to_be_visible()
    expect(column(board, "Lead").locator(".deal")).to_have_count(2)
    assert (names(board, "Lead"), stage_of(committed, deals["Crane"])) == (["Silo", "Crane"], "Lead")
    assert head(board, "Qualified") == {"count": "2", "sum": "€120,000", "weighted": "€30k"}
    assert console.lines == []


def test_drag_within_a_column_changes_the_order(board: Page, committed, deals, console: Console):
    drag(board, card(board, "Silo"), card(board, "Crane"), down=0.9)
    expect(board.locator(".is-saving")).to_have_count(0)
    assert names(board, "Lead") == ["Crane", "Silo"]
    assert committed.column("Lead") == ["Crane", "Silo"]
    board.reload()
    assert names(board, "Lead") == ["Crane", "Silo"]
    assert console.lines == []


def test_drag_within_a_column_can_be_undone(board: Page, committed, deals, console: Console):
    before = head(board, "Lead")
    drag(board, card(board, "Silo"), card(board, "Crane"), down=0.9)
    expect(board.locator(".toast", has_text="Silo moved")).to_be_visible()
    assert names(board, "Lead") == ["Crane", "Silo"]
    board.locator(".toast").get_by_role("button", name="Undo").click()
    expect(board.locator(".toast", has_text="Silo is back where it was")).to_be_visible()
    expect(column(board, "Lead").locator(".deal > a")).to_have_text(["Silo", "Crane"])
    assert (committed.column("Lead"), head(board, "Lead")) == (["Silo", "Crane"], before)
    assert console.lines == []


def test_a_move_that_the_server_refuses_is_rolled_back(board: Page, committed, deals):
    with committed.org.acting(committed.rep) as acting:
        update_deal(deals["Crane"].pk, {"owner": committed.stranger.pk}, acting=acting)
    before = head(board, "Qualified")
    drag(board, card(board, "Crane"), column(board, "Qualified"))
    toast = board.locator('.toast[data-kind="error"]')
    expect(toast).to_contain_text("Crane is back where it was")
    expect(toast).to_contain_text("not found")
    # Nor is it on this reader's board any more.
    expect(card(board, "Crane")).to_have_count(0)
    assert head(board, "Qualified") == before
    assert head(board, "Lead") == {"count": "1", "sum": "€20,000", "weighted": "€2k"}
    assert stage_of(committed, deals["Crane"]) == "Lead"


def test_a_move_without_a_server_is_rolled_back(board: Page, committed, deals):
    board.context.set_offline(True)
    drag(board, card(board, "Crane"), column(board, "Qualified"))
    expect(board.locator('.toast[data-kind="error"]')).to_contain_text("The server cannot be reached")
    assert (names(board, "Lead"), stage_of(committed, deals["Crane"])) == (["Silo", "Crane"], "Lead")
    assert head(board, "Lead") == {"count": "2", "sum": "€30,000", "weighted": "€3k"}


def test_drop_on_lost_asks_for_the_reason(board: Page, committed, deals):
    drag_to_zone(board, "Crane", "Lost")
    dialog = board.get_by_role("dialog", name="Mark as lost")
    expect(dialog).to_be_visible()
    assert names(board, "Lead") == ["Silo", "Crane"]
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    dialog.get_by_label("Reason").select_option("No budget")
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(dialog).to_be_hidden()
    expect(card(board, "Crane")).to_have_count(0)
    lost = committed.fresh(deals["Crane"])
    assert (lost.status, lost.close_reason) == ("lost", "No budget")
    assert head(board, "Lead") == {"count": "1", "sum": "€20,000", "weighted": "€2k"}


def test_drop_on_won_can_be_cancelled(board: Page, committed, deals, console: Console):
    drag_to_zone(board, "Crane", "Won")
    dialog = board.get_by_role("dialog", name="Mark as won")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert (names(board, "Lead"), stage_of(committed, deals["Crane"])) == (["Silo", "Crane"], "Lead")
    assert console.lines == []


def drag_to_zone(page: Page, name: str, zone: str) -> None:
    """The zones appear while a card is dragged."""
    box = card(page, name).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40, steps=4)
    target = page.locator(".drop", has_text=zone)
    expect(target).to_be_visible()
    page.wait_for_timeout(350)
    end = target.bounding_box()
    assert end is not None
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    page.wait_for_timeout(150)
    page.mouse.up()


def test_keyboard_carries_a_card(board: Page, committed, deals, console: Console):
    board.get_by_role("link", name="Crane", exact=True).focus()
    board.keyboard.press("Space")
    expect(board.locator("#live")).to_contain_text("Picked up Crane")
    board.keyboard.press("ArrowRight")
    board.keyboard.press("ArrowDown")
    expect(board.locator("#live")).to_have_text("Qualified, position 2 of 3")
    board.keyboard.press("Space")
    expect(board.locator(".toast", has_text="Crane moved to Qualified")).to_be_visible()
    assert names(board, "Qualified") == ["Pump", "Crane", "Belt"]
    assert committed.column("Qualified") == ["Pump", "Crane", "Belt"]
    expect(board.get_by_role("link", name="Crane", exact=True)).to_be_focused()
    board.keyboard.press("Space")
    board.keyboard.press("ArrowLeft")
    board.keyboard.press("Escape")
    expect(board.locator("#live")).to_have_text("Move cancelled.")
    assert names(board, "Qualified") == ["Pump", "Crane", "Belt"]
    board.keyboard.press("ArrowLeft")
    expect(board.get_by_role("link", name="Silo", exact=True)).to_be_focused()
    assert console.lines == []


def test_touch_drags_after_a_moment(live_server: LiveServer, browser: Browser, committed, deals):
    with phone(browser, live_server.url, committed.rep) as page:
        page.goto(board_url(live_server.url, committed))
        session = page.context.new_cdp_session(page)
        box, end = card(page, "Silo").bounding_box(), card(page, "Crane").bounding_box()
        assert box is not None
        assert end is not None
        x, y = box["x"] + 60, box["y"] + 20

        def touch(kind: str, *points: tuple[float, float]) -> None:
            touches = [{"x": px, "y": py} for px, py in points]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

        touch("touchStart", (x, y))
        page.wait_for_timeout(300)
        for step in range(1, 11):
            touch("touchMove", (x, y + (end["y"] + end["height"] - y) * step / 10))
            page.wait_for_timeout(20)
        page.wait_for_timeout(150)
        touch("touchEnd")
        expect(page.locator(".is-saving")).to_have_count(0)
        assert names(page, "Lead") == ["Crane", "Silo"]
    assert committed.column("Lead") == ["Crane", "Silo"]


def test_menu_moves_hands_over_and_deletes(board: Page, committed, deals, console: Console):
    card(board, "Crane").hover()
    card(board, "Crane").get_by_role("button", name="Actions for Crane").click()
    board.get_by_role("menuitem", name="Move to stage").click()
    board.get_by_role("menu", name="Move to stage").get_by_role("menuitem", name="Proposal").click()
    expect(board.locator(".toast", has_text="Crane moved to Proposal")).to_be_visible()
    assert (names(board, "Proposal"), stage_of(committed, deals["Crane"])) == (["Crane"], "Proposal")
    card(board, "Silo").hover()
    card(board, "Silo").get_by_role("button", name="Actions for Silo").click()
    board.get_by_role("menuitem", name="Delete").click()
    expect(card(board, "Silo")).to_have_count(0)
    board.locator(".toast", has_text="recycle bin").get_by_role("button", name="Undo").click()
    expect(card(board, "Silo")).to_have_count(1)
    card(board, "Belt").hover()
    card(board, "Belt").get_by_role("button", name="Actions for Belt").click()
    board.get_by_role("menuitem", name="Change owner").click()
    dialog = board.get_by_role("dialog", name="Change owner")
    dialog.get_by_label("Owner").select_option("Stranger Mori")
    dialog.get_by_role("button", name="Hand over").click()
    expect(card(board, "Belt")).to_have_count(0)
    assert committed.fresh(deals["Belt"]).owner_id == committed.stranger.pk
    assert console.lines == []


def test_menu_of_all_cards_is_expanded_at_the_one_that_opened_it(board: Page, committed, deals, console: Console):
    more = {name: board.get_by_role("button", name=f"Actions for {name}") for name in ("Crane", "Silo", "Belt")}
    menu = board.get_by_role("menu", name="Deal actions")
    for name in ("Silo", "Belt", "Crane"):
        card(board, name).hover()
        more[name].click()
        expect(menu).to_be_visible()
        # Only the one, though the menu was open at the card before until this click.
        expect(board.locator('.deal > .more[aria-expanded="true"]')).to_have_attribute(
            "aria-label", f"Actions for {name}"
        )
        expect(more[name]).to_have_attribute("aria-expanded", "true")
        assert menu_is_beside(board, more[name])
    board.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(board.locator('.deal > .more[aria-expanded="true"]')).to_have_count(0)
    expect(more["Crane"]).to_be_focused()
    more["Belt"].focus()
    board.keyboard.press("Enter")
    expect(more["Belt"]).to_have_attribute("aria-expanded", "true")
    expect(more["Crane"]).to_have_attribute("aria-expanded", "false")
    assert console.lines == []


def menu_is_beside(board: Page, button: Any) -> bool:
    menu, opener = board.locator("#deal-menu").bounding_box(), button.bounding_box()
    assert menu is not None
    assert opener is not None
    near = abs(menu["x"] - opener["x"]) < menu["width"] + opener["width"]
    return near and abs(menu["y"] - opener["y"]) < menu["height"] + 2 * opener["height"]


def test_quick_add_puts_a_deal_on_top(board: Page, committed, console: Console):
    foot = board.locator(".col", has=column(board, "Qualified"))
    foot.get_by_role("button", name="Add deal").click()
    board.get_by_label("Name of the new deal").fill("Mill")
    board.keyboard.press("Enter")
    expect(card(board, "Mill")).to_be_visible()
    expect(board.get_by_label("Name of the new deal")).to_be_focused()
    expect(board.get_by_label("Name of the new deal")).to_have_value("")
    assert names(board, "Qualified") == ["Mill", "Pump", "Belt"]
    board.keyboard.press("Escape")
    expect(foot.get_by_role("button", name="Add deal")).to_be_focused()
    assert console.lines == []


def test_more_cards_come_with_the_scroll(live_server: LiveServer, browser_context: BrowserContext, committed):
    for number in range(60):
        committed.deal(f"Deal {number}")
    sign_in(browser_context, live_server.url, committed.rep)
    page = browser_context.new_page()
    page.goto(board_url(live_server.url, committed))
    expect(column(page, "Lead").locator(".deal")).to_have_count(50)
    assert head(page, "Lead")["count"] == "60"
    column(page, "Lead").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    expect(column(page, "Lead").locator(".deal")).to_have_count(60)
    assert names(page, "Lead")[-1] == "Deal 0"
    expect(column(page, "Lead").locator(".deal > .more")).to_have_count(60)


def test_filters_stay_in_the_address(board: Page, committed, deals, console: Console):
    board.keyboard.press("f")
    board.get_by_label("Value at least").fill("30000")
    board.get_by_role("button", name="Show deals").click()
    board.wait_for_url("**amount.min=30000**")
    assert (names(board, "Lead"), names(board, "Qualified")) == ([], ["Pump", "Belt"])
    drag(board, card(board, "Belt"), column(board, "Lead"))
    expect(board.locator(".is-saving")).to_have_count(0)
    expect(board.locator(".toast", has_text="Belt moved to Lead")).to_be_visible()
    assert head(board, "Lead") == {"count": "1", "sum": "€40,000", "weighted": "€4k"}
    board.get_by_role("link", name="Remove filter Amount").click()
    expect(column(board, "Lead").locator(".deal")).to_have_count(3)
    assert console.lines == []
