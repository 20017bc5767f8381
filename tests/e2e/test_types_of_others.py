"""A record type that no app of Keel knows, defined in the test package alone, in the hands of a person."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.support.axe import violations
from tests.support.browser import Console
from tests.vessels.models import Vessel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def port() -> Harbour:
    """A private organisation with three ships of a rep."""
    port = Harbour()
    for name, flag, crew in (("Aurora", "no", 5), ("Borealis", "pa", 9), ("Corvus", "no", 7)):
        port.vessel(name, flag=flag, crew=crew)
    return port


def _take(page: Page, text: str, name: str) -> None:
    """Types into the palette and takes a line."""
    page.wait_for_load_state()  # the keys are its script's
    page.keyboard.press("Control+k")
    page.keyboard.type(text)
    page.locator("#palette").get_by_role("option", name=name).first.click()


def test_the_palette_finds_makes_opens_and_acts(running_keel: Any, page: Page, port: Harbour, console: Console) -> None:
    console.watch(page)
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/")
    _take(page, "boraelis", "Borealis")  # misspelt
    expect(page.get_by_role("heading", name="Borealis", level=1)).to_be_visible()
    _take(page, ">history", "History of changes")
    expect(page).to_have_url(re.compile("/history/"))
    expect(page.get_by_text("created it")).to_be_visible()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette").get_by_role("option", name="Borealis")).to_be_visible()  # recent
    page.keyboard.press("Escape")
    _take(page, "vessels", "Vessels")
    expect(page).to_have_url(re.compile(r"/records/vessel/$"))
    _take(page, "new vessel", "New vessel")
    page.get_by_label("Name").fill("Draco")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Draco", level=1)).to_be_visible()
    assert violations(page) == []
    assert console.lines == []


def test_columns_pins_tags_and_a_card(running_keel: Any, page: Page, port: Harbour, console: Console) -> None:
    console.watch(page)
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/?sort=name")
    page.get_by_label("Select Aurora").check()
    page.get_by_label("Select Corvus").check()
    bar = page.get_by_role("toolbar", name="Bulk actions")
    bar.get_by_role("button", name="Tag", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Tags").fill("Reefer,")
    dialog.get_by_role("button", name="Tag 2 vessels").click()
    expect(page.locator("tbody tr", has_text="Reefer")).to_have_count(2)
    page.get_by_role("button", name="Columns").click()
    for name in ("Crew", "Value", "Launched", "Seaworthy"):
        page.locator("#columns").get_by_label(name, exact=True).uncheck()
    page.get_by_role("button", name="Show columns").click()
    expect(page.locator("thead th[data-col]")).to_have_count(3)
    page.get_by_role("link", name="Save as").click()
    page.locator("#dialog").get_by_label("Name").fill("Short")
    page.locator("#dialog").get_by_role("button", name="Save view").click()
    expect(page.locator(".view-name")).to_have_text("Short")
    for item in ("Pin to sidebar", "Open the list with this"):
        page.get_by_role("button", name="Actions for this view").click()
        page.get_by_role("menuitem", name=item).click()
        expect(page.get_by_role("menuitem", name=item)).to_have_count(0)
    expect(page.locator(".pins a .count")).to_have_text("3")
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/")
    expect(page.locator("thead th[data-col]")).to_have_count(3)
    page.set_viewport_size({"width": 1900, "height": 900})
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/?layout=board&by=flag&sort=name")
    page.locator('.col-body[data-key="no"] .deal a').first.focus()
    for key in (" ", "ArrowRight", " "):
        page.keyboard.press(key)
    expect(page.locator(".toast", has_text="Aurora moved to")).to_be_visible()
    with port.org.system():
        assert Vessel.objects.get(name="Aurora").flag != "no"
    assert violations(page) == []
    assert console.lines == []


def test_history_and_the_recycle_bin(running_keel: Any, page: Page, port: Harbour, console: Console) -> None:
    console.watch(page)
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/?sort=name")
    page.locator("tbody tr").first.locator('td[data-col="crew"]').dblclick()
    expect(page.locator("#cell-control")).to_be_focused()
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").first.locator('td[data-col="crew"]')).to_have_text("12")
    page.get_by_role("link", name="Aurora").click()
    page.get_by_role("link", name="History").click()
    page.locator("#drawer").get_by_role("button", name="Put back Crew: “5”").click()
    expect(page.locator(".toast", has_text="Crew has its old value again.")).to_be_visible()
    page.goto(page.url)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".toast", has_text="Aurora was moved to the recycle bin.")).to_be_visible()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/recycle-bin/")
    page.get_by_label("Select Aurora").check()
    page.get_by_role("toolbar").get_by_role("button", name="Restore").click()
    expect(page.locator(".toast", has_text="back")).to_be_visible()
    with port.org.system():
        assert list(Vessel.objects.filter(deleted_at=None).order_by("name").values_list("name", "crew")) == [
            ("Aurora", 5), ("Borealis", 9), ("Corvus", 7),
        ]  # fmt: skip
    assert console.lines == []
