"""What is picked in a list: the bar's number, what is sent, and the rows that one sees are the same."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.support.axe import violations
from tests.support.browser import Console
from tests.vessels.models import Vessel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def _open(running_keel: Any, page: Page, port: Harbour, query: str) -> Locator:
    """The list of vessels, and its bar."""
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/{query}")
    return page.get_by_role("toolbar", name="Bulk actions")


def _fleet(port: Harbour, norwegian: int, panamanian: int) -> None:
    with port.org.system():
        Vessel.objects.bulk_create(Vessel(name=f"Nor {n:03}", flag="no", owner=port.rep) for n in range(norwegian))
        Vessel.objects.bulk_create(Vessel(name=f"Pan {n:03}", flag="pa", owner=port.rep) for n in range(panamanian))


def _exported(page: Page, bar: Locator) -> list[str]:
    with page.expect_download() as download:
        bar.get_by_role("button", name="Export").click()
    with open(download.value.path(), encoding="utf-8-sig") as file:
        return sorted(row["Name"] for row in csv.DictReader(file))


def _group(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=f"Rows of {name}")


def test_all_that_match_stay_chosen_until_a_row_is_taken_out(
    running_keel: Any, page: Page, port: Harbour, console: Console
) -> None:
    _fleet(port, 60, 0)
    bar = _open(running_keel, page, port, "?sort=name")
    page.get_by_label("Select all on this page").check()
    bar.get_by_role("button", name="Select all 60").click()
    expect(bar.get_by_role("button", name="Assign")).to_be_focused()
    bar.get_by_role("button", name="Assign").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Assign 60 vessels")).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(bar).to_contain_text("60 selected")
    expect(bar.get_by_role("button", name="Select all 60")).to_be_hidden()
    assert len(_exported(page, bar)) == 60
    page.get_by_label("Select Nor 003").uncheck()
    expect(bar).to_contain_text("49 selected")
    expect(bar.get_by_role("button", name="Select all 60")).to_be_hidden()
    assert _exported(page, bar) == [f"Nor {n:03}" for n in range(50) if n != 3]
    page.get_by_label("Select Nor 003").check()
    bar.get_by_role("button", name="Select all 60").click()
    expect(bar).to_contain_text("60 selected")
    bar.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()
    expect(page.locator("tbody .pick :checked")).to_have_count(0)
    page.get_by_label("Select Nor 003").check()
    expect(bar).to_contain_text("1 selected")
    assert _exported(page, bar) == ["Nor 003"]
    assert console.lines == []


def test_rows_of_a_closed_group_are_neither_picked_nor_stepped_through(
    running_keel: Any, page: Page, port: Harbour, console: Console
) -> None:
    _fleet(port, 3, 2)
    bar = _open(running_keel, page, port, "?group=flag&sort=name")
    first, second = ("Norway", "Panama")
    expect(page.get_by_label("Select Nor 000")).to_be_visible()
    _group(page, second).click()
    page.get_by_label("Select Pan 000").check()
    page.get_by_label("Select Nor 001").check()
    expect(bar).to_contain_text("2 selected")
    _group(page, first).click()
    expect(bar).to_contain_text("1 selected")
    assert _exported(page, bar) == ["Pan 000"]
    page.get_by_label("Select all on this page").check()
    expect(bar).to_contain_text("2 selected")
    assert violations(page) == []
    assert _exported(page, bar) == ["Pan 000", "Pan 001"]
    _group(page, first).click()
    expect(page.get_by_label("Select Nor 001")).not_to_be_checked()
    # By keys: from the head of a group to its rows, and past those that are hidden.
    _group(page, first).click()
    page.keyboard.press("j")
    expect(_group(page, first)).to_be_focused()
    page.keyboard.press("j")
    expect(_group(page, second)).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Pan 000")).to_be_focused()
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 selected")
    _group(page, second).click()
    expect(bar).to_be_hidden()
    page.keyboard.press("x")
    expect(bar).to_be_hidden()
    page.keyboard.press("k")
    expect(_group(page, first)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Nor 000")).to_be_focused()
    assert console.lines == []


def test_nothing_is_picked_before_the_rows_of_the_open_group_are_there(
    running_keel: Any, page: Page, port: Harbour, console: Console
) -> None:
    _fleet(port, 3, 2)
    late: list[Route] = []
    page.route("**/*block=rows*", lambda route: late.append(route))
    with page.expect_request("**/*block=rows*"):
        _open(running_keel, page, port, "?group=flag&sort=name")
    head = page.get_by_label("Select all on this page")
    expect(head).to_be_disabled()
    late.pop().continue_()
    head.check()
    expect(page.get_by_label("Select Nor 002")).to_be_checked()
    _group(page, "Norway").click()
    expect(head).to_be_disabled()
    assert console.lines == []


def test_all_that_match_are_in_closed_groups_as_well(
    running_keel: Any, page: Page, port: Harbour, console: Console
) -> None:
    _fleet(port, 3, 2)
    bar = _open(running_keel, page, port, "?group=flag&sort=name")
    page.get_by_label("Select all on this page").check()
    bar.get_by_role("button", name="Select all 5").click()
    _group(page, "Panama").click()
    expect(page.get_by_label("Select Pan 001")).to_be_checked()
    _group(page, "Norway").click()
    expect(bar).to_contain_text("5 selected")
    assert len(_exported(page, bar)) == 5
    page.get_by_label("Select Pan 001").click()
    expect(page.get_by_label("Select Pan 001")).not_to_be_checked()
    expect(bar).to_contain_text("1 selected")
    assert _exported(page, bar) == ["Pan 000"]
    assert console.lines == []
