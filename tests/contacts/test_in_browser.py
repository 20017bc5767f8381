"""Contacts and accounts by what a person sees and does, with script and without, on a desk and on a phone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from crm.models import Membership
from tests.contacts.conftest import Cast
from tests.support.axe import violations
from tests.support.browser import PHONE, Console
from tests.support.web import session_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def sign_in(context: BrowserContext, url: str, member: Membership) -> None:
    """Gives a browser the cookie of a new session."""
    host = urlsplit(url).hostname
    session = session_for(member.user)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "domain": host, "path": "/"}])


def open_page(page: Page, keel: Any, cast: Cast, path: str) -> None:
    page.goto(f"{keel.url}/w/{cast.org.slug}/{path}")


def field(page: Page, label: str) -> Any:
    """The button that shows a field of a record."""
    return page.get_by_role("button", name=f"Edit {label}:")


def test_a_contact_from_its_creation_to_the_recycle_bin_and_back(running_keel, page, cast, console: Console):
    cast.account("Halden Logistics", domains=("halden.example",))
    sign_in(page.context, running_keel.url, cast.rep)
    console.watch(page)
    open_page(page, running_keel, cast, "contacts/")
    page.get_by_role("link", name="New contact").first.click()
    page.get_by_label("First name").fill("Ines")
    page.get_by_label("Last name").fill("Marchetti")
    page.locator("input[name=emails]").fill("ines@halden.example")
    page.get_by_role("button", name="Add another").first.click()
    page.keyboard.type("ines@private.example")
    assert violations(page) == []
    page.get_by_role("button", name="Add contact").click()

    expect(page.get_by_role("heading", name="Ines Marchetti", level=1)).to_be_visible()
    expect(page.locator(".record-head").get_by_role("link", name="Halden Logistics")).to_be_visible()
    assert violations(page) == []
    field(page, "Job title").click()
    page.get_by_label("Job title", exact=True).fill("VP Operations")
    expect(page.locator(".htmx-added")).to_have_count(0)  # htmx has taken hold of the form
    page.keyboard.press("Enter")
    expect(page.locator(".record-head")).to_contain_text("VP Operations at")
    expect(field(page, "Job title")).to_be_focused()
    field(page, "Tags").click()
    expect(page.get_by_label("Tags", exact=True)).to_be_focused()
    page.keyboard.type("Champion, NL")
    page.keyboard.press("Enter")
    expect(page.locator(".prop .badge", has_text="Champion")).to_be_visible()
    field(page, "City").click()
    expect(page.get_by_label("City", exact=True)).to_be_focused()
    page.keyboard.type("Rotterdam")
    page.keyboard.press("Escape")
    expect(field(page, "City")).to_contain_text("Set city")

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Share").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Person or team").select_option(label="Tom Becker")
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(dialog.get_by_role("button", name="Stop sharing with Tom Becker")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_role("link", name="Done").click()

    page.get_by_role("button", name="More actions").click()
    assert violations(page) == []
    page.get_by_role("menuitem", name="Delete contact").click()
    expect(page.get_by_text("Ines Marchetti was moved to the recycle bin.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Ines Marchetti is back.")).to_be_visible()
    assert console.lines == []


def test_a_known_address_is_shown_before_saving(running_keel, page, cast):
    cast.contact(first_name="Ines", email="ines@halden.example")
    sign_in(page.context, running_keel.url, cast.rep)
    open_page(page, running_keel, cast, "contacts/new/")
    page.get_by_label("Last name").fill("Second")
    page.locator("input[name=emails]").fill("INES@halden.example")
    page.get_by_role("button", name="Add contact").click()
    expect(page.get_by_role("link", name="Open Ines Marchetti")).to_be_visible()
    assert violations(page) == []
    assert cast.count() == (1, 0)
    page.get_by_role("button", name="Create anyway").click()
    expect(page.get_by_role("heading", name="Second", level=1)).to_be_visible()


def test_an_account_is_chosen_by_searching(running_keel, page, cast, console: Console):
    for name in ("Brenner Steel", "Halden Logistics", "Kiln Foods"):
        cast.account(name)
    made = cast.contact(first_name="Ines")
    sign_in(page.context, running_keel.url, cast.rep)
    console.watch(page)
    open_page(page, running_keel, cast, f"contacts/{made.pk}/")
    field(page, "Account").click()
    dialog = page.get_by_role("dialog")
    # As a person types: the search listens from a moment after the dialog has opened.
    dialog.get_by_role("searchbox").press_sequentially("hald", delay=80)
    expect(dialog.get_by_role("radio", name="Kiln Foods")).to_have_count(0)
    dialog.get_by_role("radio", name="Halden Logistics").check()
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".record-head").get_by_role("link", name="Halden Logistics")).to_be_visible()
    page.get_by_role("link", name="Change the role at Halden Logistics").click()
    dialog.get_by_label("Role").select_option(label="Decision maker")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".right .badge", has_text="Decision maker")).to_be_visible()
    assert console.lines == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_on_a_phone(running_keel, browser: Browser, cast, console: Console, scheme: str):
    account = cast.account("Halden Logistics", website="halden.example", industry="Logistics")
    made = cast.contact(first_name="Ines", account_id=account.id, account_role="champion", tags=("NL",))
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, has_touch=True, locale="en-GB")
    sign_in(context, running_keel.url, cast.rep)
    page = context.new_page()
    console.watch(page)
    for path in (f"contacts/{made.pk}/", f"accounts/{account.pk}/", "contacts/new/", f"accounts/{account.pk}/edit/"):
        open_page(page, running_keel, cast, path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == []
    open_page(page, running_keel, cast, f"contacts/{made.pk}/")
    page.get_by_role("tab", name="Details").tap()
    field(page, "Lifecycle").tap()
    page.get_by_label("Lifecycle", exact=True).select_option("customer")
    page.get_by_role("button", name="Save Lifecycle").tap()
    expect(page.locator(".record-head, .facts").last).to_contain_text("Customer")
    page.get_by_role("tab", name="Related").tap()
    assert violations(page) == []
    assert console.lines == []
    context.close()


def test_without_script_forms_are_pages(running_keel, browser: Browser, cast):
    made = cast.contact(first_name="Ines", email="ines@halden.example")
    account = cast.account("Halden Logistics")
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    sign_in(context, running_keel.url, cast.rep)
    page = context.new_page()
    open_page(page, running_keel, cast, f"contacts/{made.pk}/")
    page.get_by_role("link", name="Edit").click()
    page.locator("input[name=emails]").nth(1).fill("second@halden.example")
    page.get_by_label("Job title").fill("Buyer")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="second@halden.example")).to_be_visible()
    page.get_by_role("link", name="Link to an account").first.click()
    page.get_by_role("radio", name="Halden Logistics").check()
    page.get_by_role("button", name="Link account").click()
    expect(page.locator(".record-head")).to_contain_text("Buyer at")
    assert cast.links(made) == [(account.id, "unknown", True)]
    assert [address for address, _kind, _primary in cast.emails(made)] == [
        "ines@halden.example",
        "second@halden.example",
    ]
    context.close()
