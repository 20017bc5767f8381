"""The way to an old entry and its history, by what a person sees: desk and phone, with and without script."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from activities.actions.log import update_activity
from activities.models import Activity
from tests.activities.conftest import Desk
from tests.activities.test_in_browser import open_page, sign_in
from tests.support.axe import violations
from tests.support.browser import PHONE, Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def year(desk: Desk) -> Activity:
    """A year of notes; the one about the spinnaker is old, and lies among others."""
    now = timezone.now()
    for number in range(70):
        lines = "\n".join(f"Line {line} of {number}" for line in range(4))
        desk.log(body=lines, occurred_at=now - dt.timedelta(days=number))
    return desk.log(body="They asked about the spinnaker.", occurred_at=now - dt.timedelta(days=40, hours=1))


def is_seen(page: Page, entry: Locator) -> bool:
    """Whether an entry stands in the window, and nothing lies on it."""
    box = entry.locator(".tl-card").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hit = "([x, y, id]) => document.elementFromPoint(x, y)?.closest('article')?.id === id"
    return bool(page.evaluate(hit, [x, y, entry.get_attribute("id")]))


def test_a_search_hit_opens_the_timeline_at_the_old_note(
    running_keel: Any, page: Page, real_desk: Desk, console: Console
):
    desk, old = real_desk, year(real_desk)
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk, "search/?q=spinnaker")
    page.get_by_role("link", name=re.compile("spinnaker")).first.click()
    entry = page.locator(f"#a-{old.pk}")
    expect(entry).to_contain_text("They asked about the spinnaker.")
    expect(entry).to_have_attribute("aria-current", "true")
    assert is_seen(page, entry)
    expect(page.locator("#timeline article")).to_have_count(25)
    page.get_by_role("link", name="Show older").click()
    expect(page.locator("#timeline article")).to_have_count(30)
    assert violations(page) == []

    # What changes on the page meanwhile does not take the reader away from the entry.
    entry.hover()
    entry.get_by_role("link", name="Edit this entry").click()
    page.get_by_role("dialog").get_by_label("Note").fill("They bought the spinnaker.")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(entry).to_contain_text("They bought the spinnaker.")
    expect(page).to_have_url(re.compile(rf"\?entry={old.pk}$"))
    page.reload()
    expect(entry).to_contain_text("They bought the spinnaker.")

    page.get_by_role("link", name="Back to the newest").click()
    expect(page.locator("#timeline article").first).to_contain_text("Line 0 of 0")
    expect(entry).to_have_count(0)
    assert console.lines == []


@pytest.mark.parametrize("script", [True, False])
def test_an_old_note_is_seen_on_a_phone_and_without_script(
    running_keel: Any, browser: Browser, real_desk: Desk, script: bool
):
    desk, old = real_desk, year(real_desk)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=script)
    sign_in(context, running_keel.url, desk.rep)
    page = context.new_page()
    open_page(page, running_keel, desk, f"activities/{old.pk}/")
    entry = page.locator(f"#a-{old.pk}")
    expect(entry).to_contain_text("They asked about the spinnaker.")
    expect(entry.locator(".tl-card")).to_be_in_viewport()
    page.get_by_role("link", name="Back to the newest").click()
    expect(page.locator("#timeline article").first).to_contain_text("Line 0 of 0")
    context.close()


def test_an_entrys_history_puts_one_value_back(running_keel: Any, page: Page, real_desk: Desk, console: Console):
    desk = real_desk
    call = desk.log(type="call", subject="Rang", outcome="no_answer", body="Nobody there")
    with desk.org.acting(desk.boss) as boss:
        update_activity(call.pk, {"outcome": "connected", "body": "Spoke after all"}, acting=boss)
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk, f"contacts/{desk.contact.pk}/")
    entry = page.locator(f"#a-{call.pk}")
    entry.hover()
    entry.get_by_role("link", name="History of this entry").click()
    drawer = page.get_by_role("dialog", name="History of changes")
    expect(drawer).to_contain_text("Lena Aalto changed 2 fields")
    assert violations(page) == []
    drawer.get_by_role("button", name="Put back Outcome: “No answer”").click()
    expect(page.get_by_text("Outcome has its old value again.")).to_be_visible()
    expect(entry).to_contain_text("No answer")
    expect(entry).to_contain_text("Spoke after all")
    entry.hover()
    entry.get_by_role("link", name="Edit this entry").click()
    page.get_by_role("dialog").get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
    expect(page).to_have_title(re.compile("History of Rang"))
    page.get_by_role("link", name="Rang", exact=True).click()
    expect(entry).to_have_attribute("aria-current", "true")
    assert console.lines == []


def test_calls_are_dragged_by_their_outcome_and_nothing_by_its_type(
    running_keel: Any, page: Page, real_desk: Desk, console: Console
):
    desk = real_desk
    call = desk.log(type="call", subject="Rang", outcome="no_answer")
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk, "activities/?layout=board")
    card = page.locator(f'[data-id="{call.pk}"]')
    expect(page.locator('[data-key="call"]')).to_contain_text("Rang")
    card.get_by_role("link", name="Rang").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator('.col-body[data-key="call"]')).to_contain_text("Rang")
    assert desk.fresh(call).version == 1

    open_page(page, running_keel, desk, "activities/?layout=board&by=outcome")
    card.get_by_role("link", name="Rang").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_text("Rang moved to Left voicemail")).to_be_visible()
    expect(page.locator('.col-body[data-key="voicemail"]')).to_contain_text("Rang")
    assert desk.fresh(call).outcome == "voicemail"
    assert violations(page) == []
    assert console.lines == []
