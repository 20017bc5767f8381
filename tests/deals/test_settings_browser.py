"""Stages set up in a browser: order by mouse and keyboard, fields that save themselves, colours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from deals.models import Stage
from tests.deals.browsing import sign_in
from tests.deals.conftest import Sales, make_sales
from tests.support.axe import violations
from tests.support.browser import Console

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def committed(transactional_db: None, entries: Any) -> Sales:
    return make_sales()


@pytest.fixture
def page(live_server: LiveServer, browser_context: BrowserContext, committed: Sales) -> Iterator[Page]:
    sign_in(browser_context, live_server.url, committed.manager)
    page = browser_context.new_page()
    page.goto(f"{live_server.url}/w/{committed.org.slug}/settings/pipelines/")
    return page


def order(sales: Sales) -> list[str]:
    with sales.org.system():
        return list(Stage.objects.filter(kind="open").order_by("position").values_list("name", flat=True))


def test_order_by_keyboard_and_by_mouse(page: Page, committed: Sales, console: Console):
    handle = page.get_by_role("button", name="Reorder Lead")
    handle.focus()
    with page.expect_response("**/order/"):
        handle.press("ArrowDown")
        handle.press("ArrowDown")
    expect(page.locator("#live")).to_have_text("Lead: position 3 of 6")
    expect(page.get_by_text("All changes saved")).to_be_visible()
    assert order(committed) == ["Qualified", "Discovery", "Lead", "Proposal", "Negotiation", "Commit"]
    start = page.get_by_role("button", name="Reorder Commit").bounding_box()
    end = page.get_by_role("button", name="Reorder Qualified").bounding_box()
    assert start is not None
    assert end is not None
    with page.expect_response("**/order/"):
        page.mouse.move(start["x"] + 10, start["y"] + 10)
        page.mouse.down()
        page.mouse.move(end["x"] + 12, end["y"] + 4, steps=12)
        page.wait_for_timeout(200)
        page.mouse.up()
    assert order(committed)[0] == "Commit"
    assert console.lines == []


def test_fields_save_themselves(page: Page, committed: Sales, console: Console):
    with page.expect_response("**/settings/stages/**"):
        page.get_by_label("Probability of Proposal").fill("65")
        page.keyboard.press("Tab")
    with page.expect_response("**/settings/stages/**"):
        page.get_by_label("Stage name").nth(3).fill("Offer")
        page.keyboard.press("Tab")
    page.get_by_role("button", name="Colour of Lead").click()
    with page.expect_response("**/settings/stages/**"):
        page.get_by_role("menuitemradio", name="Pink").click()
    with committed.org.system():
        offer, lead = (Stage.objects.get(pk=committed.stages[name].pk) for name in ("Proposal", "Lead"))
    assert (offer.name, offer.probability, lead.tone) == ("Offer", 65, "pink")
    assert console.lines == []
    page.get_by_label("Probability of Proposal").fill("650")
    page.keyboard.press("Tab")
    expect(page.locator('.toast[data-kind="error"]')).to_be_visible()
    expect(page.get_by_label("Probability of Proposal")).to_have_attribute("aria-invalid", "true")
    with committed.org.system():
        assert Stage.objects.get(pk=offer.pk).probability == 65


def test_a_stage_is_added_and_deleted_in_dialogs(page: Page, committed: Sales):
    page.get_by_role("link", name="Add stage").click()
    dialog = page.get_by_role("dialog", name="New stage")
    dialog.get_by_label("Name").fill("Pilot")
    dialog.get_by_label("Probability in percent").fill("50")
    dialog.get_by_role("button", name="Add stage").click()
    expect(page.locator(".toast", has_text="Stage added")).to_be_visible()
    assert order(committed)[-1] == "Pilot"
    page.get_by_role("button", name="Actions for Pilot").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog", name="Delete Pilot").get_by_role("button", name="Delete stage").click()
    expect(page.get_by_role("button", name="Actions for Pilot")).to_have_count(0)
    assert "Pilot" not in order(committed)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_deals_pass_axe(
    live_server: LiveServer, browser_context: BrowserContext, committed: Sales, scheme: Any
):
    deal = committed.deal("Crane", amount=10_000_00, next_step="Call", close_date=date(2026, 1, 31))
    committed.age(deal, 40)
    committed.deal("Silo")
    page = browser_context.new_page()
    sign_in(browser_context, live_server.url, committed.manager)
    page.emulate_media(color_scheme=scheme)
    at = f"{live_server.url}/w/{committed.org.slug}"
    for path in ("deals/", "deals/list/", f"deals/{deal.pk}/", "deals/new/", "settings/pipelines/"):
        page.goto(f"{at}/{path}")
        assert (path, violations(page)) == (path, [])
    page.goto(f"{at}/deals/")
    page.keyboard.press("f")
    expect(page.get_by_label("Value at least")).to_be_visible()
    assert violations(page) == []
