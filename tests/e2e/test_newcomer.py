"""What a newcomer does on the first day, by what a person can see and do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.axe import violations
from tests.support.browser import DESKTOP, Console
from tests.support.servers import RunningKeel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lifecycle Stage,Company Name,Job Title\n"
    "9001,Katrin,Olsen,katrin@nordhavn-sor.example,+47 55 50 12 44,Maya Okafor,Lead,Nordhavn Sør,Harbour Planner\n"
    "9002,Bo,Karlsen,bo@karlsen-frakt.example,,Rolf Hansen,Opportunity,Karlsen Frakt,\n"
    "9003,,,not an address,,,,,\n"
)
PIPEDRIVE = (
    "Deal - ID,Deal - Title,Deal - Owner,Deal - Value,Deal - Currency of Value,Deal - Organization,"
    "Deal - Contact person,Deal - Stage,Deal - Status,Deal - Expected close date\n"
    '1,Quay crane,Maya Okafor,"120,000",EUR,Nordhavn Sør,Katrin Olsen,Lead,open,2027-01-31\n'
    "2,Cold store,Maya Okafor,34000,EUR,Karlsen Frakt,Bo Karlsen,Lead,open,2027-02-28\n"
    "3,Pallet lift,Maya Okafor,21000,EUR,Karlsen Frakt,,Lead,open,2027-03-31\n"
)


def sign_in(page: Page, keel: RunningKeel, email: str) -> None:
    page.goto(keel.url)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("robots at sea")
    page.get_by_role("button", name=re.compile("Sign in|Log in")).click()
    expect(page.get_by_role("link", name="Contacts", exact=True).first).to_be_visible()


def upload(page: Page, path: Path, rows: int) -> None:
    """From a list to the report of an import, taking what is suggested."""
    page.get_by_role("link", name="Import").first.click()
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Check the rows").click()
    assert violations(page) == []
    page.get_by_role("button", name=f"Import {rows} rows").click()
    expect(page.get_by_role("heading", name="rows are in")).to_be_visible(timeout=20_000)
    assert violations(page) == []


def column(page: Page, name: str) -> Locator:
    return page.locator(".col", has=page.get_by_role("heading", name=re.compile(name)))


def card(page: Page, title: str) -> Locator:
    return page.locator("article.deal", has_text=title)


def drag(page: Page, title: str, target: Locator) -> None:
    """By the mouse, in small steps, as a hand does."""
    source = card(page, title)
    source.scroll_into_view_if_needed()
    start, end = source.bounding_box(), target.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 60, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(start["x"] + 80, start["y"] + 30, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 40, steps=12)
    page.mouse.move(end["x"] + end["width"] / 2 + 3, end["y"] + 44, steps=3)
    page.mouse.up()


@pytest.fixture
def second(browser: Browser, console: Console) -> BrowserContext:
    """A colleague's browser."""
    context = browser.new_context(viewport=DESKTOP, locale="en-GB")
    context.on("page", console.watch)
    yield context
    context.close()


def test_first_day(running_keel, page, second, console, tmp_path):
    call_command("seed_demo", verbosity=0)
    contacts, deals = tmp_path / "contacts.csv", tmp_path / "deals.csv"
    contacts.write_text(HUBSPOT, encoding="utf-8")
    deals.write_text(PIPEDRIVE, encoding="utf-16")

    sign_in(page, running_keel, "maya@fjord.example")
    assert violations(page) == []
    page.get_by_role("link", name="Contacts", exact=True).first.click()
    assert violations(page) == []
    upload(page, contacts, 3)
    expect(page.get_by_text("is not an e-mail address")).to_be_visible()
    page.get_by_role("link", name="Open contacts").click()
    expect(page.get_by_role("link", name=re.compile("Katrin Olsen"))).to_be_visible()

    page.get_by_role("link", name="Deals", exact=True).first.click()
    page.get_by_role("link", name="List").click()
    upload(page, deals, 3)

    page.get_by_role("link", name="Deals", exact=True).first.click()
    expect(card(page, "Quay crane")).to_be_visible()
    assert violations(page) == []

    colleague = second.new_page()
    sign_in(colleague, running_keel, "jonas@fjord.example")
    colleague.get_by_role("link", name="Deals", exact=True).first.click()
    expect(column(colleague, "Lead").locator("article.deal", has_text="Quay crane")).to_be_visible()

    for title, stage in (("Quay crane", "Qualified"), ("Cold store", "Discovery"), ("Pallet lift", "Qualified")):
        drag(page, title, column(page, stage).locator(".col-body"))
        expect(column(page, stage).locator("article.deal", has_text=title)).to_be_visible()
        expect(column(colleague, stage).locator("article.deal", has_text=title)).to_be_visible(timeout=5_000)

    close(page, "Quay crane", "won")
    close(page, "Pallet lift", "lost", reason="No budget")
    expect(card(colleague, "Quay crane")).to_have_count(0, timeout=5_000)
    expect(card(colleague, "Pallet lift")).to_have_count(0, timeout=5_000)

    card(page, "Cold store").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Cold store")).to_be_visible()
    assert violations(page) == []
    log_call(page, "Bo wants a second offer")
    timeline = page.locator(".timeline")
    expect(timeline.get_by_text("Bo wants a second offer")).to_be_visible()
    expect(timeline.get_by_text("Discovery").first).to_be_visible()
    assert violations(page) == []
    assert console.lines == []


def close(page: Page, title: str, outcome: str, *, reason: str = "") -> None:
    """By the card's menu."""
    source = card(page, title)
    source.hover()
    source.get_by_role("button", name=re.compile("Actions")).click()
    page.get_by_role("menuitem", name=re.compile(f"Mark as {outcome}")).click()
    dialog = page.get_by_role("dialog").filter(has=page.get_by_role("button", name=re.compile(f"Mark as {outcome}")))
    if reason:
        field = dialog.get_by_label("Reason", exact=False).first
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(label=reason)
        else:
            field.fill(reason)
    dialog.get_by_role("button", name=re.compile(f"Mark as {outcome}")).click()
    expect(card(page, title)).to_have_count(0)


def log_call(page: Page, text: str) -> None:
    """In the composer of a record's page."""
    page.get_by_role("tab", name="Call").click()
    composer = page.locator("form.composer:visible").first
    composer.get_by_label("Notes").fill(text)
    composer.get_by_role("button", name=re.compile("Log|Save")).click()
