"""The history over a record's page, and putting an old value back: what a person sees and does."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from contacts.actions.accounts import update_account
from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import account, sign_in
from tests.support.axe import violations
from tests.support.browser import PHONE, Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def rename(port: Harbour, made: Any, *, by: Any = None, **values: Any) -> None:
    with port.org.acting(by or port.rep) as actor:
        update_account(made.pk, values, acting=actor)


def test_old_value_is_put_back_from_the_drawer(running_keel: Any, page: Page, port: Harbour, console: Console):
    made = account(port, "Halden")
    rename(port, made, name="Halden AS", industry="Shipping")
    rename(port, made, by=port.admin, city="Bergen")
    sign_in(page.context, running_keel.url, port.rep)
    console.watch(page)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/accounts/{made.pk}/")
    page.get_by_role("link", name="History of changes").click()
    drawer = page.locator("#drawer")
    expect(drawer.get_by_text("changed 2 fields")).to_be_visible()
    assert violations(page) == []
    drawer.get_by_label("Changed by").select_option("Ada Admin")
    expect(drawer.locator(".changes li")).to_have_count(1)
    drawer.get_by_label("Changed by").select_option("Everybody")
    drawer.get_by_label("Field").select_option("Name")
    expect(drawer.locator(".changes li")).to_have_count(1)
    drawer.get_by_role("button", name="Put back Name: “Halden”").click()
    expect(page.get_by_role("heading", name="Halden", exact=True, level=1)).to_be_visible()
    assert port.fresh(made).name == "Halden"
    page.locator(".toast", has_text="Name has its old value again.").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Name has its old value again.")).to_be_visible()
    assert port.fresh(made).name == "Halden AS"
    assert console.lines == []


def test_value_changed_since_is_shown_before_it_is_replaced(running_keel: Any, page: Page, port: Harbour):
    made = account(port, "Halden")
    rename(port, made, name="Halden AS")
    rename(port, made, by=port.admin, name="Halden Group")
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/accounts/{made.pk}/")
    page.get_by_role("link", name="History of changes").click()
    page.get_by_role("button", name="Put back Name: “Halden”").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Halden Group")
    assert violations(page) == []
    dialog.get_by_role("button", name="Replace it").click()
    expect(page.get_by_role("heading", name="Halden", exact=True, level=1)).to_be_visible()
    assert port.fresh(made).name == "Halden"


def test_history_without_script_and_on_a_phone(running_keel: Any, browser: Browser, port: Harbour):
    made = account(port, "Halden")
    rename(port, made, name="Halden AS")
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, color_scheme="dark")
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, port.rep)
    page = context.new_page()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/account/{made.pk}/history/")
    page.get_by_role("button", name="Put back Name: “Halden”").click()
    expect(page.get_by_text("Name has its old value again.")).to_be_visible()
    assert port.fresh(made).name == "Halden"
    context.close()
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, port.rep)
    page = context.new_page()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/account/{made.pk}/history/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    context.close()
