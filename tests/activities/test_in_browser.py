"""Timeline, home page and inbox by what a person sees and does: desk and phone, light and dark, with and without script."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from crm.actions.notifications import notify
from crm.models import Membership
from tests.activities.conftest import Desk
from tests.support.axe import violations
from tests.support.browser import PHONE, Console
from tests.support.web import session_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def sign_in(context: BrowserContext, url: str, member: Membership) -> None:
    """Gives a browser the cookie of a new session."""
    host, session = urlsplit(url).hostname, session_for(member.user)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "domain": host, "path": "/"}])


def open_page(page: Page, keel: Any, desk: Desk, path: str = "") -> None:
    page.goto(f"{keel.url}/w/{desk.org.slug}/{path}")


def test_a_call_from_the_composer_to_the_bin_and_back(running_keel, page, real_desk: Desk, console: Console):
    desk = real_desk
    desk.log(body="An older note", occurred_at=timezone.now() - dt.timedelta(days=3))
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk, f"contacts/{desk.contact.pk}/")
    assert violations(page) == []

    page.get_by_role("tab", name="Call").click()
    page.get_by_label("Outcome").select_option(label="Left voicemail")
    page.get_by_label("Subject").fill("Proposal")
    page.locator("#composer").get_by_label("Notes").fill("Asked for the lease option.")
    page.get_by_label("min long").fill("13")
    assert violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Call logged")).to_be_visible()
    entry = page.locator("#timeline article").first
    expect(entry).to_contain_text("Maya Okafor called Ines")
    expect(entry).to_contain_text("Left voicemail")
    expect(entry).to_contain_text("13 min")
    expect(page.get_by_label("Subject")).to_have_value("")
    expect(page.locator(".record-head").locator("..")).to_contain_text("just now")

    entry.hover()
    entry.get_by_role("link", name="Edit this entry").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Notes").fill("Asked for leasing.")
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(entry).to_contain_text("Asked for leasing.")

    entry.hover()
    entry.get_by_role("button", name="Delete this entry").click()
    expect(page.get_by_text("Asked for leasing.")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(entry).to_contain_text("Asked for leasing.")
    assert console.lines == []


def test_the_timeline_is_filtered_searched_and_goes_back_in_time(running_keel, page, real_desk: Desk, console: Console):
    desk, then = real_desk, timezone.now() - dt.timedelta(days=1)
    for number in range(30):
        kind = {"type": "call"} if number % 3 == 0 else {"type": "note"}
        desk.log(body=f"Entry {number}", occurred_at=then - dt.timedelta(hours=number), **kind)
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk, f"contacts/{desk.contact.pk}/")
    entries = page.locator("#timeline article")
    expect(entries).to_have_count(25)
    page.get_by_role("link", name="Show older").click()
    expect(entries).to_have_count(31)
    days = page.locator(".tl-day").all_inner_texts()
    assert len(days) == len(set(days))

    page.get_by_text("Calls", exact=True).click()
    expect(entries).to_have_count(10)
    expect(page).to_have_url(re.compile(r"\?tab=calls$"))
    page.get_by_label("Search timeline").press_sequentially("entry 27")
    expect(entries).to_have_count(1)
    page.reload()
    expect(entries).to_have_count(1)
    expect(page.get_by_label("Search timeline")).to_have_value("entry 27")
    page.get_by_label("Search timeline").fill("zeppelin")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    assert violations(page) == []
    assert console.lines == []


def test_a_field_edited_in_place_stands_on_the_timeline_at_once(running_keel, page, real_desk: Desk, console: Console):
    desk = real_desk
    desk.log(body="Before")
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk, f"contacts/{desk.contact.pk}/")
    page.locator("#composer").get_by_label("Notes").fill("Half a thought")
    page.get_by_role("button", name="Edit Job title:").click()
    page.get_by_label("Job title", exact=True).fill("VP Operations")
    # htmx takes hold of a new form 20 ms after it stands there; nobody's Enter is that fast.
    expect(page.locator(".htmx-added")).to_have_count(0)
    page.keyboard.press("Enter")
    first = page.locator("#timeline article").first
    expect(first).to_contain_text("Maya Okafor changed a field")
    expect(first).to_contain_text("VP Operations")
    expect(page.locator("#composer").get_by_label("Notes")).to_have_value("Half a thought")
    assert console.lines == []


def test_a_note_without_script(running_keel, browser: Browser, real_desk: Desk):
    desk = real_desk
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, running_keel.url, desk.rep)
    page = context.new_page()
    open_page(page, running_keel, desk, f"contacts/{desk.contact.pk}/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Write the note.")).to_be_visible()
    page.locator("#composer").get_by_label("Notes").fill("Typed by hand")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("Typed by hand")
    page.get_by_label("Search timeline").fill("by hand")
    page.keyboard.press("Enter")
    expect(page.locator("#timeline article")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_on_a_phone(running_keel, browser: Browser, real_desk: Desk, console: Console, scheme: str):
    desk = real_desk
    desk.log(type="call", body="Ring back", deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    with desk.org.system():
        notify(
            desk.rep.pk, "record.shared", record_type="contact", record=desk.contact.pk, name="Ines", by="Lena Aalto"
        )
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=scheme)
    sign_in(context, running_keel.url, desk.rep)
    page = context.new_page()
    console.watch(page)
    for path in ("", "notifications/", f"contacts/{desk.contact.pk}/", f"activities/new/?contact={desk.contact.pk}"):
        open_page(page, running_keel, desk, path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
    open_page(page, running_keel, desk, f"contacts/{desk.contact.pk}/")
    page.locator("#composer").get_by_label("Notes").fill("From the car")
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("#timeline article").first).to_contain_text("From the car")
    expect(page.locator("#timeline article").first.get_by_role("button", name="Delete this entry")).to_be_visible()
    assert console.lines == []
    context.close()


def test_home_leads_to_deals_and_logs_a_call(running_keel, page, real_desk: Desk, console: Console):
    desk = real_desk
    sign_in(page.context, running_keel.url, desk.boss)
    console.watch(page)
    open_page(page, running_keel, desk)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lena")
    expect(page.locator("#at-risk")).to_contain_text("Yard crane retrofit")
    assert violations(page) == []
    page.get_by_role("link", name="Mine").click()
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    page.get_by_role("link", name="Everyone's").click()
    expect(page.locator("#at-risk")).to_be_visible()
    page.get_by_role("link", name="Log call").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Ines Marchetti").click()
    dialog.get_by_label("Notes").fill("Rang the customer")
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Call logged")).to_be_visible()
    open_page(page, running_keel, desk)
    expect(page.locator("#recent")).to_contain_text("Lena Aalto called Ines Marchetti")
    assert console.lines == []


def test_the_bell_tells_at_once_and_is_read(running_keel, page, real_desk: Desk, console: Console):
    desk = real_desk
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk)
    bell = page.get_by_role("button", name="Notifications")
    expect(page.locator("#bell .nub")).to_have_count(0)
    with desk.org.system():
        notify(
            desk.rep.pk, "record.shared", record_type="contact", record=desk.contact.pk, name="Ines", by="Lena Aalto"
        )
    expect(page.locator("#bell .nub")).to_be_visible(timeout=15_000)
    bell.click()
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel).to_contain_text("Lena Aalto shared Ines with you")
    assert violations(page) == []
    panel.get_by_role("button", name="Mark all read").click()
    expect(page.locator("#bell .nub")).to_have_count(0)
    panel.get_by_role("link", name="Lena Aalto shared Ines").click()
    expect(page.get_by_role("heading", name="Ines Marchetti", level=1)).to_be_visible()
    assert console.lines == []
