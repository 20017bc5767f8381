"""Tasks by what a person does: adding one from a contact, ticking it in the list, taking that back; desk and phone."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from activities.actions.tasks import create_task
from tests.activities.conftest import Desk
from tests.activities.test_in_browser import open_page, sign_in
from tests.support.axe import violations
from tests.support.browser import PHONE, Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_task_is_added_on_a_contact_ticked_in_the_list_and_taken_back(
    running_keel, page, real_desk: Desk, console: Console
):
    desk = real_desk
    sign_in(page.context, running_keel.url, desk.rep)
    console.watch(page)
    open_page(page, running_keel, desk, f"contacts/{desk.contact.pk}/")
    expect(page.get_by_text("No open tasks.")).to_be_visible()
    page.get_by_role("link", name="New task", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is to be done?").fill("Send the deck")
    dialog.get_by_label("Due on").fill((timezone.localdate() - dt.timedelta(days=1)).isoformat())
    assert violations(page) == []
    dialog.get_by_role("button", name="Add task").click()
    expect(page.get_by_role("link", name="Send the deck")).to_be_visible()

    open_page(page, running_keel, desk, "tasks/")
    box = page.get_by_role("checkbox", name="Done: Send the deck")
    expect(page.locator("time.danger")).to_have_count(1)
    assert violations(page) == []
    box.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Send the deck is done")).to_be_visible()
    expect(page.locator("time.danger")).to_have_count(0)
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("time.danger")).to_have_count(1)
    expect(box).not_to_be_checked()

    page.get_by_role("link", name="Send the deck").click()
    expect(page).to_have_url(re.compile(r"/tasks/[0-9a-f-]{36}/$"))
    box.click()
    expect(page.get_by_text("Send the deck is done")).to_be_visible()
    expect(page.locator("dl.props")).to_contain_text("Done")
    assert violations(page) == []
    assert console.lines == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tasks_on_a_phone(running_keel, browser: Browser, real_desk: Desk, console: Console, scheme: str):
    desk = real_desk
    with desk.org.acting(desk.rep) as actor:
        task = create_task({"title": "Call Petra", "contact": desk.contact.pk}, acting=actor)
    desk.log()
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=scheme)
    sign_in(context, running_keel.url, desk.rep)
    page = context.new_page()
    console.watch(page)
    for path in ("tasks/", "tasks/new/", f"tasks/{task.pk}/", f"tasks/{task.pk}/edit/", "activities/"):
        open_page(page, running_keel, desk, path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
    open_page(page, running_keel, desk, "tasks/")
    page.get_by_role("checkbox", name="Done: Call Petra").tap()
    expect(page.get_by_text("Call Petra is done")).to_be_visible()
    assert console.lines == []
    context.close()
