"""Views, columns, widths, groups and boards: what a person sees and does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from contacts.actions.contacts import create_contact
from contacts.models import Contact
from contacts.values import EmailValue, NewContact
from crm.models import SavedView
from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.records.test_views import save
from tests.support.axe import violations
from tests.support.browser import PHONE, Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def fleet(port: Harbour) -> Harbour:
    people = (
        ("Aurora", "lead", "c@x.example"),
        ("Borealis", "customer", "b@x.example"),
        ("Corvus", "lead", "a@x.example"),
    )
    with port.org.acting(port.rep) as rep:
        for name, stage, email in people:
            create_contact(NewContact(last_name=name, lifecycle=stage, emails=(EmailValue(email),)), acting=rep)
    return port


def open_list(running_keel: Any, page: Page, port: Harbour, query: str = "") -> None:
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/contacts/{query}")


def test_a_view_is_built_by_clicking_saved_for_the_team_and_opened_from_the_sidebar(
    running_keel: Any, page: Page, fleet: Harbour, console: Console
) -> None:
    console.watch(page)
    open_list(running_keel, page, fleet, "?lifecycle=lead")
    page.get_by_role("button", name="Columns").click()
    picker = page.locator("#columns")
    expect(picker.get_by_role("searchbox")).to_be_focused()
    assert violations(page) == []
    for name in ("Account", "Job title", "Last activity", "Owner", "Tags"):
        picker.get_by_label(name, exact=True).uncheck()
    for _step in range(3):
        picker.get_by_role("button", name="Move Email up").click()
    picker.get_by_role("button", name="Show columns").click()
    heads = page.locator("thead th[data-col]")
    expect(heads).to_have_count(2)
    assert [head.get_attribute("data-col") for head in heads.all()] == ["email", "lifecycle"]
    page.locator('thead th[data-col="email"] a').click()
    expect(page.locator("tbody tr").first).to_contain_text("Aurora")
    page.locator("thead th.first a").click(modifiers=["Shift"])
    expect(page).to_have_url(re.compile("sort=-email,-name"))
    page.get_by_role("link", name="Save as").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Name")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_label("Name").fill("Norse")
    dialog.get_by_label("Who sees it").select_option(label="North")
    dialog.get_by_role("button", name="Save view").click()
    expect(page.locator(".view-name")).to_have_text("Norse")
    page.get_by_role("button", name="Actions for this view").click()
    page.get_by_role("menuitem", name="Pin to sidebar").click()
    pin = page.locator(".pins a")
    expect(pin).to_contain_text("Norse")
    expect(pin.locator(".count")).to_have_text("2")
    page.goto(f"{running_keel.url}/w/{fleet.org.slug}/")
    page.locator(".pins a").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("thead th[data-col]")).to_have_count(2)
    page.locator('thead th[data-col="email"] a').click()
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Unsaved changes")).to_have_count(0)
    with fleet.org.system():
        view = SavedView.objects.get()
        assert (view.scope, view.version) == ("team", 2)
        assert "cols=email,lifecycle" in view.arrangement
    assert violations(page) == []
    page.get_by_role("button", name="Actions for this view").click()
    page.get_by_role("menuitem", name="Delete view").click()
    page.locator("dialog[open]").get_by_role("button", name="Delete view").click()
    page.locator(".toast", has_text="View Norse was deleted.").get_by_role("button", name="Undo").click()
    expect(page.locator(".view-name")).to_have_text("Norse")
    assert console.lines == []


def test_a_column_is_resized_by_keys_and_keeps_its_width(
    running_keel: Any, page: Page, fleet: Harbour, console: Console
) -> None:
    console.watch(page)
    open_list(running_keel, page, fleet)
    head = page.locator('thead th[data-col="email"]')
    before = head.evaluate("head => head.offsetWidth")
    handle = head.get_by_role("separator", name="Width of Email")
    handle.focus()
    for _step in range(3):
        page.keyboard.press("ArrowRight")
    wider = head.evaluate("head => head.offsetWidth")
    assert wider >= before + 40
    page.reload()
    expect(head.get_by_role("separator")).to_have_attribute("aria-valuenow", str(wider))
    assert page.locator("[style]", has=page.locator("th")).count() == 0
    assert violations(page) == []
    assert console.lines == []


def test_what_is_searched_for_is_exported_saved_and_grouped(
    running_keel: Any, page: Page, fleet: Harbour, console: Console
) -> None:
    console.watch(page)
    open_list(running_keel, page, fleet)
    page.get_by_role("searchbox", name="Search contacts").press_sequentially("auro", delay=30)
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as file:
        page.get_by_role("link", name="Export").click()
    assert file.value.path().read_text("utf-8-sig").count("\n") == 2
    page.get_by_role("button", name="Group", exact=False).first.click()
    page.get_by_role("menuitemradio", name="Lifecycle").first.click()
    expect(page.locator("tbody tr[data-id]:visible")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=auro&group=lifecycle"))
    page.get_by_role("link", name="Save as").click()
    page.locator("#dialog").get_by_label("Name").fill("Lights")
    page.locator("#dialog").get_by_role("button", name="Save view").click()
    expect(page.locator(".view-name")).to_have_text("Lights")
    box = page.get_by_role("searchbox", name="Search contacts")
    expect(box).to_have_value("auro")
    box.press("End")
    box.press_sequentially("r")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    expect(box).to_be_focused()
    assert violations(page) == []
    assert console.lines == []


def test_several_sorts_are_built_in_the_menu_and_rows_keep_the_chosen_height(
    running_keel: Any, page: Page, fleet: Harbour, console: Console
) -> None:
    console.watch(page)
    open_list(running_keel, page, fleet)
    for name in ("Lifecycle", "Name"):
        page.get_by_role("button", name="Sort").click()
        page.locator("#sorts").get_by_role("link", name=name, exact=True).click()
    expect(page).to_have_url(re.compile(r"\?sort=-lifecycle,name$"))
    page.get_by_role("button", name="Sort").click()
    expect(page.locator("#sorts").get_by_role("list", name="Sorted by").get_by_role("listitem")).to_have_count(2)
    assert violations(page) == []
    page.locator("#sorts").get_by_role("link", name="Name: ascending. Turn round").click()
    expect(page).to_have_url(re.compile("sort=-lifecycle,-name"))
    page.get_by_role("button", name="Sort").click()
    page.locator("#sorts").get_by_role("link", name="Do not sort by Lifecycle").click()
    expect(page.locator("tbody tr").first).to_contain_text("Corvus")
    page.get_by_role("button", name="Row density").click()
    page.get_by_role("menuitemradio", name="Compact").click()
    expect(page.locator("table[data-table]")).to_have_attribute("data-density", "compact")
    page.goto(f"{running_keel.url}/w/{fleet.org.slug}/contacts/")
    expect(page.locator("table[data-table]")).to_have_attribute("data-density", "compact")
    page.goto(f"{running_keel.url}/w/{fleet.org.slug}/accounts/")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('keel:density'))") == [
        "keel:density:contact:"
    ]
    assert console.lines == []


def test_groups_open_and_close(running_keel: Any, page: Page, fleet: Harbour, console: Console) -> None:
    console.watch(page)
    open_list(running_keel, page, fleet, "?group=lifecycle&cols=email,owner")
    rows = page.locator("tbody tr[data-id]:visible")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Rows of Customer").click()
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Rows of Lead").click()
    expect(rows).to_have_count(1)
    expect(page.locator("tfoot")).to_contain_text("3")
    assert violations(page) == []
    assert console.lines == []


def test_a_card_is_dragged_and_carried_to_another_column(
    running_keel: Any, page: Page, fleet: Harbour, console: Console
) -> None:
    console.watch(page)
    page.set_viewport_size({"width": 1900, "height": 900})  # all columns
    open_list(running_keel, page, fleet, "?layout=board&by=lifecycle&sort=name")
    leads, customers = page.locator('.col-body[data-key="lead"]'), page.locator('.col-body[data-key="customer"]')
    expect(leads.locator(".deal")).to_have_count(2)
    assert violations(page) == []
    page.wait_for_function("globalThis.Sortable?.get(document.querySelector('.col-body'))")
    here, there = leads.locator(".deal").first.bounding_box(), customers.bounding_box()
    assert here is not None
    assert there is not None
    page.mouse.move(here["x"] + 40, here["y"] + 14)
    page.mouse.down()
    page.mouse.move(here["x"] + 80, here["y"] + 40, steps=4)
    page.mouse.move(there["x"] + 60, there["y"] + 60, steps=12)
    expect(customers.locator(".is-ghost")).to_have_count(1)  # where it would be dropped is looked at every 50 ms
    page.mouse.up()
    expect(page.locator(".toast", has_text="Aurora moved to Customer")).to_be_visible()
    expect(customers.locator(".deal")).to_have_count(2)
    expect(page.locator('[data-head="customer"] .count')).to_have_text("2")
    customers.locator(".deal a").first.focus()
    for key in ("ArrowDown", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    expect(leads.locator(".deal a")).to_be_focused()
    for key in (" ", "ArrowRight", " "):
        page.keyboard.press(key)
    expect(page.locator(".toast", has_text="Corvus moved to")).to_be_visible()
    page.locator(".toast", has_text="Corvus moved").get_by_role("button", name="Undo").click()
    expect(leads.locator(".deal")).to_contain_text("Corvus")
    with fleet.org.system():
        assert dict(Contact.objects.values_list("last_name", "lifecycle")) == {
            "Aurora": "customer", "Borealis": "customer", "Corvus": "lead",
        }  # fmt: skip
    assert console.lines == []


def test_a_card_that_somebody_changed_meanwhile_goes_back(
    running_keel: Any, page: Page, fleet: Harbour, console: Console
) -> None:
    open_list(running_keel, page, fleet, "?layout=board&by=lifecycle&sort=name")
    expect(page.locator('.col-body[data-key="lead"] .deal')).to_have_count(2)
    with fleet.org.system():
        Contact.objects.filter(last_name="Aurora").update(version=5)
    page.locator(".deal a", has_text="Aurora").focus()
    for key in (" ", "ArrowRight", " "):
        page.keyboard.press(key)
    expect(page.locator(".toast", has_text="Aurora is back where it was")).to_be_visible()
    expect(page.locator('.col-body[data-key="lead"] .deal')).to_have_count(2)


@pytest.mark.parametrize("query", ["", "?group=lifecycle", "?layout=board&by=lifecycle"])
def test_lists_on_a_phone_in_the_dark(running_keel: Any, browser: Browser, fleet: Harbour, query: str) -> None:
    view = save(fleet, fleet.rep, query[1:], name="A view with a rather long name for a phone", record_type="contact")
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, fleet.rep)
    page = context.new_page()
    page.goto(f"{running_keel.url}/w/{fleet.org.slug}/contacts/?view={view.pk}")
    expect(page.get_by_text("Aurora").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.locator(".view-name").tap()
    expect(page.locator("#views").get_by_role("menuitemradio", name="All contacts")).to_be_visible()
    assert violations(page) == []
    context.close()
