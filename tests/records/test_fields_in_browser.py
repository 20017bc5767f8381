"""Fields of an organisation's own as an admin sets them up: sorting by one, taking a choice away."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.records.yard import Yard
from tests.support.axe import violations
from tests.support.browser import Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def yard(port: Harbour) -> Yard:
    return Yard(port)


def _open(running_keel: Any, page: Page, yard: Yard, path: str) -> None:
    sign_in(page.context, running_keel.url, yard.port.admin)
    page.goto(f"{running_keel.url}/w/{yard.org.slug}/{path}")


def _edit(page: Page, name: str) -> Any:
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Edit…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=f"Edit {name}")).to_be_visible()
    return dialog


def test_a_field_is_ticked_and_its_head_sorts_the_list(
    running_keel: Any, page: Page, yard: Yard, console: Console
) -> None:
    console.watch(page)
    row = yard.add("Berths", sortable=False)
    first, second, none = yard.ship(berths="two"), yard.ship(berths="four"), yard.ship()
    _open(running_keel, page, yard, "settings/fields/vessel/")
    dialog = _edit(page, "Berths")
    dialog.get_by_label("Lists can be sorted by it").check()
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    line = page.locator(f'[data-id="{row.pk}"]')
    expect(line).to_contain_text(re.compile("Preparing sort|Sortable"))  # a worker may be quicker than the page
    yard.fill(row)
    page.reload()
    expect(line.get_by_text("Sortable")).to_be_visible()
    page.goto(f"{running_keel.url}/w/{yard.org.slug}/records/vessel/?cols=berths")
    head = page.get_by_role("columnheader", name="Berths")
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    rows = page.locator("tbody tr[data-id]")
    assert [found.get_attribute("data-id") for found in rows.all()] == [str(ship.pk) for ship in (first, second, none)]
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert [found.get_attribute("data-id") for found in rows.all()] == [str(ship.pk) for ship in (second, first, none)]
    assert console.lines == []


@pytest.mark.parametrize("viewport", [None, PHONE])
def test_a_choice_is_taken_away_by_saying_what_records_get(
    running_keel: Any, page: Page, yard: Yard, console: Console, viewport: Any
) -> None:
    console.watch(page)
    if viewport:
        page.set_viewport_size(viewport)
    ship = yard.ship(rig="ketch")
    _open(running_keel, page, yard, "settings/fields/vessel/")
    dialog = _edit(page, "Rig")
    dialog.locator('li:has(input[value="Ketch"])').get_by_role("button", name="Remove").click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("“Ketch” is in use by 1 record. Say what they get instead.")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_label("Records with “Ketch” get").select_option(label="Brig")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert yard.port.fresh(ship).custom == {"rig": "brig"}
    assert [line for line in console.lines if "status of 422" not in line] == []
