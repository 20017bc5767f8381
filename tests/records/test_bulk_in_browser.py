"""Choosing rows, changing them, looking on, undoing it: what a person sees and does."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from contacts.models import Account
from crm.events.relay import deliver_due
from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.support.axe import violations
from tests.support.browser import PHONE, Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def _many(port: Harbour, count: int) -> None:
    with port.org.system():
        Account.objects.bulk_create(Account(name=f"Ship {n:03}", owner=port.rep) for n in range(count))


def _owned(port: Harbour, member: Any) -> int:
    with port.org.system():
        return Account.objects.filter(owner=member).count()


def test_all_that_match_are_assigned_watched_and_undone(
    running_keel: Any, page: Page, port: Harbour, console: Console, job_worker: Any, jobs_close_their_connection: None
):
    _many(port, 260)
    sign_in(page.context, running_keel.url, port.rep)
    console.watch(page)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/accounts/?sort=name")
    bar = page.get_by_role("toolbar", name="Bulk actions")
    expect(bar).to_be_hidden()
    page.get_by_label("Select all on this page").check()
    expect(bar).to_contain_text("50 selected")
    bar.get_by_role("button", name="Select all 260").click()
    expect(bar).to_contain_text("260 selected")
    assert violations(page) == []
    bar.get_by_role("button", name="Assign").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Assign 260 accounts")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_label("Owner").select_option("Mia Manager")
    dialog.get_by_role("button", name="Assign 260 accounts").click()
    deliver_due()
    expect(page.get_by_role("heading", name="260 records changed")).to_be_visible(timeout=20_000)
    assert violations(page) == []
    assert _owned(port, port.manager) == 260
    page.get_by_role("button", name="Undo").click()
    deliver_due()
    expect(page.get_by_role("heading", name="260 records changed")).to_be_visible(timeout=20_000)
    assert _owned(port, port.rep) == 260
    page.get_by_role("link", name="What was changed").click()
    expect(page.get_by_role("button", name="Undo 260 records")).to_be_visible()
    assert violations(page) == []
    assert console.lines == []


def test_picked_rows_are_changed_by_keyboard_and_undone_from_the_toast(
    running_keel: Any, page: Page, port: Harbour, console: Console
):
    _many(port, 3)
    sign_in(page.context, running_keel.url, port.rep)
    console.watch(page)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/accounts/?sort=name")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_role("toolbar", name="Bulk actions")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Edit field").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Field").select_option("Employees")
    dialog.get_by_label("Employees").fill("77")
    page.keyboard.press("Enter")
    toast = page.locator(".toast", has_text="2 records changed.")
    expect(toast).to_be_visible()
    with port.org.system():
        assert Account.objects.filter(employee_count=77).count() == 2
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Undone. 2 records changed.")).to_be_visible()
    with port.org.system():
        assert Account.objects.filter(employee_count=77).count() == 0
    assert console.lines == []


def test_on_a_phone_by_touch_and_in_the_dark(running_keel: Any, browser: Browser, port: Harbour):
    _many(port, 3)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, port.rep)
    page = context.new_page()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/accounts/?sort=name")
    page.get_by_label("Select Ship 001").tap()
    bar = page.get_by_role("toolbar", name="Bulk actions")
    expect(bar).to_contain_text("1 selected")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    bar.get_by_role("button", name="Tag", exact=True).tap()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tags").fill("Fair")
    assert violations(page) == []
    dialog.get_by_role("button", name="Tag 1 account").tap()
    expect(page.locator(".toast", has_text="1 record changed.")).to_be_visible()
    context.close()
