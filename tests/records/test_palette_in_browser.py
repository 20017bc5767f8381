"""The command palette and the page of search, as people use them: keys, clicks, a phone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from crm.models import Membership
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Stage
from tests.contacts.conftest import Cast, cast
from tests.factories import Org
from tests.support.axe import violations
from tests.support.browser import PHONE, Console
from tests.support.web import session_for

__all__ = ["cast"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def sign_in(context: BrowserContext, url: str, member: Membership) -> None:
    """Gives a browser the cookie of a new session."""
    host = urlsplit(url).hostname
    session = session_for(member.user)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "domain": host, "path": "/"}])


def new_deal(org: Org, member: Membership) -> Deal:
    """A deal in the first stage."""
    with org.system() as system:
        pipeline = create_default_pipeline(acting=system)
        stage = Stage.objects.filter(pipeline=pipeline).order_by("position").first()
    with org.acting(member) as acting:
        return create_deal({"name": "Wharf gantry", "stage": stage.pk}, acting=acting)


def line(page: Page, name: str) -> Any:
    """A line of the palette."""
    return page.locator("#palette").get_by_role("option", name=name)


def take(page: Page, text: str, name: str) -> None:
    """Types into the palette and takes the first line."""
    page.keyboard.press("Control+k")
    page.keyboard.type(text)
    expect(line(page, name)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")


def arrives(page: Page, url: str) -> None:
    """Waits for a page and its script, whose the keys are."""
    expect(page).to_have_url(url)
    page.wait_for_load_state()


def test_search_jump_and_act_by_the_keyboard_alone(running_keel, page, cast: Cast, console: Console):
    contact = cast.contact(first_name="Ysolde", last_name="Brandvik", email="ysolde@ravnkloa.example")
    deal = new_deal(cast.org, cast.rep)
    base = f"{running_keel.url}/w/{cast.org.slug}"
    sign_in(page.context, running_keel.url, cast.rep)
    console.watch(page)
    page.goto(f"{base}/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search records and commands")).to_be_focused()
    expect(line(page, "Contacts")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()

    # A misspelled name; the hit is the first line, Enter opens it.
    take(page, "ysodle", "Ysolde Brandvik")
    arrives(page, f"{base}/contacts/{contact.pk}/")

    # Forms and pages by their names.
    take(page, "new acc", "New account")
    expect(page.locator("#dialog").get_by_role("heading", name="New account")).to_be_visible()
    page.keyboard.press("Escape")
    take(page, "inbox", "Inbox")
    arrives(page, f"{base}/notifications/")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzzzqq")
    expect(page.locator("#pal-list")).to_contain_text("Nothing matches")
    assert violations(page) == []
    page.keyboard.press("Escape")

    # What matches is marked; arrows move, also around the ends.
    page.keyboard.press("Control+k")
    page.keyboard.type("gantry")
    expect(page.locator("#palette mark")).to_have_text("gantry")
    page.keyboard.press("ArrowUp")
    expect(line(page, "Show all results")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(line(page, "Wharf gantry")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    arrives(page, f"{base}/deals/{deal.pk}/")

    # On the open deal: its next stage, a call; the record seen before is among the recent ones.
    page.keyboard.press("Control+k")
    expect(line(page, "Ysolde Brandvik")).to_be_visible()
    expect(line(page, "Log a call")).to_be_visible()
    page.keyboard.type("move qual")
    expect(line(page, "Move to Qualified")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Qualified")
    expect(page.locator(".path [aria-current=step]")).to_contain_text("Qualified")
    with cast.org.system():
        assert Deal.objects.get(pk=deal.pk).stage.name == "Qualified"
    take(page, ">log a call", "Log a call")
    expect(page.locator("#dialog").get_by_role("heading")).to_be_visible()
    page.keyboard.press("Escape")
    assert console.lines == []


def test_recent_records_are_of_this_member_and_as_they_are_now(running_keel, page, cast: Cast, console: Console):
    contact = cast.contact(first_name="Ysolde", last_name="Brandvik")
    base = f"{running_keel.url}/w/{cast.org.slug}"
    sign_in(page.context, running_keel.url, cast.admin)
    page.goto(f"{base}/contacts/{contact.pk}/")
    page.goto(f"{base}/")
    page.keyboard.press("Control+k")
    expect(line(page, "Ysolde Brandvik")).to_be_visible()
    kept = page.evaluate("JSON.stringify(Object.entries(localStorage))")
    assert str(contact.pk) in kept
    assert "Ysolde" not in kept
    # Another person at the same browser, who would not even see the record.
    page.context.clear_cookies()
    sign_in(page.context, running_keel.url, cast.stranger)
    page.goto(f"{base}/")
    page.keyboard.press("Control+k")
    expect(line(page, "Contacts")).to_be_visible()
    expect(line(page, "Ysolde Brandvik")).to_have_count(0)
    assert console.lines == []


def test_search_on_a_phone(running_keel, browser: Browser, cast: Cast, console: Console):
    cast.contact(first_name="Ysolde", last_name="Brandvik", email="ysolde@ravnkloa.example")
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    page = context.new_page()
    console.watch(page)
    sign_in(context, running_keel.url, cast.rep)
    page.goto(f"{running_keel.url}/w/{cast.org.slug}/")
    page.get_by_role("link", name="Search").locator("visible=true").tap()
    page.keyboard.type("olde@rav")
    expect(line(page, "Ysolde Brandvik")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    line(page, "Show all results").tap()
    expect(page.get_by_role("heading", name="Contacts")).to_be_visible()
    expect(page.locator(".found mark")).to_have_text("olde@rav")
    page.get_by_role("searchbox").fill("brandv")
    expect(page.locator(".found mark")).to_have_text("Brandv")
    expect(page).to_have_url(f"{running_keel.url}/w/{cast.org.slug}/search/?q=brandv")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert console.lines == []
    context.close()


def test_search_without_script(running_keel, browser: Browser, cast: Cast):
    cast.contact(first_name="Ysolde", last_name="Brandvik")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(context, running_keel.url, cast.rep)
    page.goto(f"{running_keel.url}/w/{cast.org.slug}/")
    page.locator(".searchbox").click()
    page.get_by_role("searchbox").fill("brandvik")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Ysolde Brandvik").click()
    expect(page.get_by_role("heading", name="Ysolde Brandvik", level=1)).to_be_visible()
    context.close()


def test_searches_that_newer_ones_replace_leave_nothing_on_the_console(
    running_keel, page, cast: Cast, console: Console
):
    """On a slow line every letter meets an answer that is still under way, and so does the page that is opened."""
    contact = cast.contact(first_name="Ysolde", last_name="Brandvik")
    base = f"{running_keel.url}/w/{cast.org.slug}"
    sign_in(page.context, running_keel.url, cast.rep)
    console.watch(page)
    page.goto(f"{base}/")
    page.keyboard.press("Control+k")
    expect(line(page, "Contacts")).to_be_visible()
    cut: list[str] = []
    page.on("requestfailed", lambda request: cut.append(request.url))
    page.route("**/palette/?*", lambda route: page.wait_for_timeout(400) or route.continue_())
    page.keyboard.type("brandvik", delay=350)
    expect(line(page, "Ysolde Brandvik")).to_be_visible()
    page.goto(f"{base}/contacts/{contact.pk}/")
    assert [url for url in cut if "/palette/" in url]
    assert console.lines == []
