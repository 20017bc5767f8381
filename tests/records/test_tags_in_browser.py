"""Settings of tags: what a person sees and does."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from contacts.actions.accounts import create_account
from contacts.models import Account
from contacts.values import NewAccount
from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.support.axe import violations
from tests.support.browser import PHONE, Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def _tagged(port: Harbour) -> Account:
    with port.org.acting(port.rep) as rep:
        return create_account(NewAccount(name="Halden", tags=("Fair", "Expo")), acting=rep)


def test_tag_is_renamed_into_another_ones_name_and_merged(
    running_keel: Any, page: Page, port: Harbour, console: Console
):
    made = _tagged(port)
    sign_in(page.context, running_keel.url, port.manager)
    console.watch(page)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/settings/tags/")
    rows = page.locator("#tags li")
    expect(rows.first).to_contain_text("1 account")
    assert violations(page) == []
    page.get_by_role("link", name="Edit Fair").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    assert violations(page) == []
    dialog.get_by_label("Name").fill("expo")
    dialog.get_by_role("button", name="Save tag").click()
    dialog.get_by_role("link", name="Merge them").click()
    expect(dialog).to_contain_text("It is on 1 account.")
    dialog.get_by_role("button", name="Merge tags").click()
    expect(page.locator(".toast", has_text="1 record was changed.")).to_be_visible()
    expect(rows).to_have_count(1)
    assert len(port.fresh(made).tags) == 1
    page.get_by_role("link", name="Delete Expo").click()
    dialog.get_by_role("button", name="Delete tag").click()
    page.locator(".toast", has_text="Tag Expo was deleted.").get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(1)
    # The form that was refused because its name was taken.
    assert [line for line in console.lines if "status of 422" not in line] == []


def test_tags_on_a_phone_in_the_dark(running_keel: Any, browser: Browser, port: Harbour):
    _tagged(port)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, port.admin)
    page = context.new_page()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/settings/tags/")
    expect(page.locator("#tags li").first).to_contain_text("1 account")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.get_by_role("link", name="Edit Expo").tap()
    expect(page.locator("#dialog").get_by_label("Name")).to_have_value("Expo")
    context.close()
