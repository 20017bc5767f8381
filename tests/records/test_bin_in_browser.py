"""Deleting, undoing it, restoring several, deleting for good: what a person sees and does."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from contacts.actions.accounts import create_account
from contacts.models import Account
from contacts.values import NewAccount
from crm.actions.bin import delete_records
from crm.models import DeletionReceipt, Membership
from tests.records.harbour import Harbour
from tests.support.axe import violations
from tests.support.browser import PHONE, Console
from tests.support.web import session_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def sign_in(context: BrowserContext, url: str, member: Membership) -> None:
    """Gives a browser the session of a member."""
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_for(member.user), "url": url}])


def account(port: Harbour, name: str) -> Account:
    """An account of the rep."""
    with port.org.acting(port.rep) as rep:
        return create_account(NewAccount(name=name), acting=rep)


def test_deleting_is_undone_from_the_toast_and_that_too(running_keel: Any, page: Page, port: Harbour, console: Console):
    made = account(port, "Aurora")
    sign_in(page.context, running_keel.url, port.rep)
    console.watch(page)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/account/{made.pk}/")
    page.get_by_role("button", name="Delete").click()
    toast = page.locator(".toast", has_text="Aurora was moved to the recycle bin.")
    toast.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Aurora", level=1)).to_be_visible()
    assert port.fresh(made).deleted_at is None
    page.locator(".toast", has_text="Aurora is back.").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Aurora was moved to the recycle bin.")).to_be_visible()
    assert port.fresh(made).deleted_at is not None
    assert console.lines == []


def _three_in_the_bin(port: Harbour) -> list[Account]:
    made = [account(port, name) for name in ("Aurora", "Borealis", "Corvus")]
    with port.org.acting(port.rep) as rep:
        delete_records("account", [one.pk for one in made], acting=rep)
    return made


def test_bin_is_searched_restored_and_purged(running_keel: Any, page: Page, port: Harbour, console: Console):
    aurora, borealis, corvus = _three_in_the_bin(port)
    sign_in(page.context, running_keel.url, port.admin)
    console.watch(page)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/recycle-bin/")
    rows = page.locator("#bin tbody tr")
    expect(rows).to_have_count(3)
    assert violations(page) == []
    page.get_by_role("searchbox").fill("bor")
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    expect(rows).to_have_count(3)
    page.get_by_label("Select Aurora").check()
    page.get_by_label("Select Borealis").check()
    page.get_by_role("toolbar").get_by_role("button", name="Restore").click()
    expect(page.locator(".toast", has_text="2 records are back.")).to_be_visible()
    expect(rows).to_have_count(1)
    assert [port.fresh(v).deleted_at is None for v in (aurora, borealis, corvus)] == [True, True, False]

    page.get_by_role("link", name="Delete Corvus for good").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Corvus")
    assert violations(page) == []
    dialog.get_by_role("button", name="Delete for good").click()
    expect(dialog).to_contain_text("Tick the box")
    dialog.get_by_label("I know that this can't be undone").check()
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The recycle bin is empty")).to_be_visible()
    assert port.fresh(corvus) is None
    page.get_by_role("link", name="Receipts").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert violations(page) == []
    with port.org.system():
        assert DeletionReceipt.objects.count() == 1
    # The form that was refused for want of the tick.
    assert [line for line in console.lines if "status of 422" not in line] == []


def test_bin_on_a_phone_by_touch_and_in_the_dark(running_keel: Any, browser: Browser, port: Harbour):
    _three_in_the_bin(port)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, port.rep)
    page = context.new_page()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/recycle-bin/")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Restore Borealis").tap()
    expect(page.locator(".toast", has_text="Borealis is back.")).to_be_visible()
    expect(page.locator("#bin tbody tr")).to_have_count(2)
    context.close()
