"""The kinds of bulk actions as a person does them: each from its button in the bar, back to the list, and taken back."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from contacts.models import Account
from crm.actions.tag_setup import create_tag
from deals.actions.deals import create_deals
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Stage
from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.support.axe import violations
from tests.support.browser import Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LIST = "accounts/?employee_count.min=2&sort=-name"


@pytest.fixture
def ships(port: Harbour) -> Harbour:
    """Six accounts, Ship 0 to Ship 5, with as many employees; Ship 2 to Ship 5 are in the list."""
    with port.org.system():
        Account.objects.bulk_create(Account(name=f"Ship {n}", owner=port.rep, employee_count=n) for n in range(6))
    return port


def _pick(running_keel: Any, page: Page, port: Harbour, path: str, *names: str) -> Locator:
    """The list with these rows picked: its bar."""
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/{path}")
    for name in names:
        page.get_by_label(f"Select {name}").check()
    bar = page.get_by_role("toolbar", name="Bulk actions")
    expect(bar).to_contain_text(f"{len(names)} selected")
    return bar


def _rows(page: Page) -> list[str]:
    return page.locator("tbody tr[data-id] td.first").all_inner_texts()


def _said(page: Page, text: str) -> Locator:
    toast = page.locator(".toast", has_text=text)
    expect(toast).to_be_visible()
    return toast


def _undo(page: Page, said: str) -> None:
    _said(page, said).get_by_role("button", name="Undo").click()
    _said(page, f"Undone. {said}")


def _live(port: Harbour) -> list[str]:
    with port.org.system():
        return list(Account.objects.order_by("name").values_list("name", flat=True))


def test_rows_are_deleted_and_come_back(running_keel: Any, page: Page, ships: Harbour, console: Console) -> None:
    bar = _pick(running_keel, page, ships, LIST, "Ship 5", "Ship 3")
    listed = page.url
    bar.get_by_role("button", name="Delete selected").click()
    dialog = page.get_by_role("dialog", name="Delete 2 accounts")
    expect(dialog).to_contain_text("recycle bin")
    assert violations(page) == []
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert len(_live(ships)) == 6
    bar.get_by_role("button", name="Delete selected").click()
    dialog.get_by_role("button", name="Delete 2 accounts").click()
    _said(page, "2 records changed.")
    assert (page.url, _rows(page)) == (listed, ["Ship 4", "Ship 2"])
    assert _live(ships) == ["Ship 0", "Ship 1", "Ship 2", "Ship 4"]
    _undo(page, "2 records changed.")
    assert (page.url, _rows(page)) == (listed, ["Ship 5", "Ship 4", "Ship 3", "Ship 2"])
    assert len(_live(ships)) == 6
    assert console.lines == []


def test_tags_are_taken_from_rows_and_put_back(running_keel: Any, page: Page, ships: Harbour, console: Console) -> None:
    with ships.org.acting(ships.admin) as admin:
        fair, expo = (create_tag(name, "blue", acting=admin).pk for name in ("Fair", "Expo"))
    with ships.org.system():
        Account.objects.update(tags=[fair, expo])
    bar = _pick(running_keel, page, ships, LIST, "Ship 5", "Ship 4")
    listed = page.url
    bar.get_by_role("button", name="Untag").click()
    dialog = page.get_by_role("dialog", name="Take tags from 2 accounts")
    assert violations(page) == []
    dialog.get_by_label("Tags").select_option(["Fair"])
    dialog.get_by_role("button", name="Take tags from 2 accounts").click()
    _said(page, "2 records changed.")
    assert page.url == listed

    def tagged() -> dict[str, list[Any]]:
        with ships.org.system():
            return {a.name: a.tags for a in Account.objects.filter(employee_count__gte=3)}

    assert tagged() == {"Ship 3": [fair, expo], "Ship 4": [expo], "Ship 5": [expo]}
    _undo(page, "2 records changed.")
    assert tagged() == {f"Ship {n}": [fair, expo] for n in (3, 4, 5)}
    assert console.lines == []


def test_the_picked_rows_are_exported_as_the_list_has_them(
    running_keel: Any, page: Page, ships: Harbour, console: Console
) -> None:
    bar = _pick(running_keel, page, ships, LIST + "&cols=employee_count", "Ship 2", "Ship 4")
    with page.expect_download() as download:
        bar.get_by_role("button", name="Export").click()
    with open(download.value.path(), encoding="utf-8-sig") as file:
        rows = [row[1:] for row in csv.reader(file)]  # after the ids
    assert rows == [["Name", "Employees"], ["Ship 4", "4"], ["Ship 2", "2"]]
    # The choice stays, for what is done with it next.
    expect(bar).to_contain_text("2 selected")
    assert console.lines == []


def test_deals_are_moved_lost_with_a_reason_and_taken_back(
    running_keel: Any, page: Page, port: Harbour, console: Console
) -> None:
    with port.org.system() as system:
        create_default_pipeline(acting=system)
        lead = Stage.objects.get(name="Lead")
    with port.org.acting(port.rep) as rep:
        create_deals([{"name": f"Deal {n}", "stage": lead} for n in range(4)], acting=rep)

    def stages() -> dict[str, tuple[str, str, str]]:
        with port.org.system():
            found = Deal.objects.select_related("stage").order_by("name")
            return {d.name: (d.stage.name, d.status, d.close_reason) for d in found}

    before = stages()
    bar = _pick(running_keel, page, port, "deals/list/?status=open&sort=name", "Deal 1", "Deal 2")
    listed = page.url
    bar.get_by_role("button", name="Move").click()
    dialog = page.get_by_role("dialog", name="Move 2 deals")
    assert violations(page) == []
    dialog.get_by_label("Stage").select_option("Lost")
    dialog.get_by_label("Reason").fill("No budget")
    dialog.get_by_role("button", name="Move 2 deals").click()
    _said(page, "2 records changed.")
    assert (page.url, _rows(page)) == (listed, ["Deal 0", "Deal 3"])
    lost = dict.fromkeys(("Deal 1", "Deal 2"), ("Lost", "lost", "No budget"))
    assert stages() == {**before, **lost}
    _undo(page, "2 records changed.")
    assert (page.url, _rows(page)) == (listed, [f"Deal {n}" for n in range(4)])
    assert stages() == before
    assert console.lines == []
