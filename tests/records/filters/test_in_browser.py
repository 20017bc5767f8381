"""A person builds a filter by clicking, typing and touching."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from contacts.actions.contacts import create_contact
from contacts.actions.links import link_contact
from contacts.models import Contact
from contacts.values import NewContact
from tests.contacts.conftest import Cast, cast
from tests.contacts.test_in_browser import sign_in
from tests.support.axe import violations
from tests.support.browser import PHONE, Console

__all__ = ["cast"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def people(cast: Cast) -> Cast:
    """Contacts of the manager's team and of somebody else, at companies of several sizes and kinds."""
    companies = {
        name: cast.account(name, by=cast.admin, industry=industry, employee_count=staff)
        for name, industry, staff in (
            ("Kestrel", "Software", 120), ("Halden", "Logistics", 120), ("Giant", "Software", 9000)
        )
    }  # fmt: skip
    rows = (
        ("Wanted", "Kestrel", "decision_maker", cast.rep, 40),
        ("Never", "Kestrel", "decision_maker", cast.manager, None),
        ("Recent", "Kestrel", "decision_maker", cast.rep, 3),
        ("Champion", "Kestrel", "champion", cast.rep, 40),
        ("Mover", "Halden", "decision_maker", cast.rep, 40),
        ("Giantess", "Giant", "decision_maker", cast.rep, 40),
        ("Theirs", "Kestrel", "decision_maker", cast.stranger, 40),
    )
    for name, company, role, owner, days in rows:
        with cast.org.acting(cast.admin) as acting:
            made = create_contact(NewContact(last_name=name, owner_id=owner.id), acting=acting)
            link_contact(made.pk, companies[company].pk, acting=acting, role=role)
            if days is not None:
                Contact.objects.filter(pk=made.pk).update(last_activity_at=timezone.now() - timedelta(days=days))
    return cast


def row(page: Page, number: str) -> Locator:
    return page.get_by_role("group", name=f"condition {number}", exact=True)


def choose(page: Page, number: str, path: str, op: str) -> Locator:
    """Chooses the field and the operator of a condition; gives its row."""
    row(page, number).get_by_label(f"Field of condition {number}").select_option(label=path)
    operator = row(page, number).get_by_label(f"Operator of condition {number}")
    expect(operator).to_be_visible()
    if operator.evaluate("el => el.selectedOptions[0].text") != op:
        operator.select_option(label=op)
    expect(operator.locator("option:checked")).to_have_text(op)
    return row(page, number)


def add(page: Page, to: str = "") -> None:
    """Adds a condition to the filter, or to the group of that name."""
    scope: Any = page.get_by_role("group", name=to, exact=True) if to else page.locator("[data-filter-form]")
    scope.get_by_role("button", name="Add condition").last.click()


def names(page: Page) -> list[str]:
    return sorted(page.locator("#records tbody .first .truncate").all_inner_texts())


def test_a_sentence_is_built_by_clicking(running_keel: Any, page: Page, people: Cast, console: Console) -> None:
    """Decision makers at software companies with 50-200 staff, no activity in 30 days, owned by my team."""
    sign_in(page.context, running_keel.url, people.admin)
    team = people.org.team("Everybody", people.admin, people.rep, people.manager)
    assert team.pk
    page.goto(f"{running_keel.url}/w/{people.org.slug}/records/contact/")
    page.get_by_role("button", name="Filter").click()
    row(page, "1").get_by_label("Field of condition 1").select_option(label="Accounts")
    box = "Accounts"
    choose(page, "1.1", "Role", "is any of").get_by_label("Decision maker").check()
    add(page, box)
    choose(page, "1.2", "Industry", "contains").get_by_label("Value of condition 1.2").fill("software")
    add(page, box)
    size = choose(page, "1.3", "Employees", "is between")
    size.get_by_label("Value of condition 1.3, until").fill("200")
    size.get_by_label("Value of condition 1.3", exact=True).fill("50")
    assert violations(page) == []
    add(page)
    quiet = choose(page, "2", "Last activity", "is not in the last")
    expect(quiet.get_by_label("Value of condition 2", exact=True)).to_have_value("30")
    add(page)
    choose(page, "3", "Owner", "is any of").get_by_label("My team").check()
    expect(page.locator("[data-filter-form] output")).to_have_text("2 match")
    assert violations(page) == []
    page.get_by_role("button", name="Show contacts").click()
    page.wait_for_url("**filter=**")
    assert names(page) == ["Never", "Wanted"]
    chips = page.locator(".chip").all_inner_texts()
    assert [" ".join(text.split()) for text in chips] == [
        "Accounts some Role is any of Decision maker and Industry contains software and Employees is between 50 and 200",
        "Last activity is not in the last 30 days",
        "Owner is any of My team",
    ]
    page.locator(".chip").nth(1).get_by_role("button").click()
    expect(row(page, "2").get_by_label("Value of condition 2", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Remove filter Last activity").click()
    expect(page.locator(".chip")).to_have_count(2)
    assert names(page) == ["Never", "Recent", "Wanted"]
    assert console.lines == []


def test_the_panel_works_by_keyboard(running_keel: Any, page: Page, people: Cast, console: Console) -> None:
    sign_in(page.context, running_keel.url, people.admin)
    page.goto(f"{running_keel.url}/w/{people.org.slug}/records/contact/")
    page.keyboard.press("f")
    expect(row(page, "1").get_by_label("Field of condition 1")).to_be_focused()
    page.keyboard.type("Last name")
    expect(row(page, "1").get_by_label("Operator of condition 1")).to_be_visible()
    expect(row(page, "1").get_by_label("Field of condition 1")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(row(page, "1").get_by_label("Value of condition 1")).to_be_focused()
    page.keyboard.type("mov")
    page.keyboard.press("Enter")
    page.wait_for_url("**filter=last_name:contains:mov")
    assert names(page) == ["Mover"]
    assert console.lines == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_on_a_phone(running_keel: Any, browser: Browser, people: Cast, console: Console, scheme: str) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, has_touch=True, locale="en-GB")  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, people.admin)
    page = context.new_page()
    console.watch(page)
    page.goto(f"{running_keel.url}/w/{people.org.slug}/records/contact/?filter=some(accounts,industry:is:Software)")
    page.get_by_role("button", name="Filter", exact=False).last.tap()
    expect(row(page, "1.1").get_by_label("Value of condition 1.1")).to_have_value("Software")
    page.get_by_role("button", name="Add group").last.tap()
    expect(row(page, "2.1").get_by_label("Field of condition 2.1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.get_by_role("button", name="Show contacts").tap()
    expect(page.get_by_role("alert")).to_contain_text("Fill in the marked conditions")
    page.get_by_role("button", name="Remove condition 2.1").tap()
    expect(row(page, "2.1")).to_have_count(0)
    page.get_by_role("button", name="Show contacts").tap()
    page.wait_for_url("**filter=some(accounts,industry:is:Software)")
    assert console.lines == []
    context.close()


def test_without_script_every_step_is_a_page(running_keel: Any, browser: Browser, people: Cast) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    context.set_default_timeout(10_000)
    sign_in(context, running_keel.url, people.admin)
    page = context.new_page()
    page.goto(f"{running_keel.url}/w/{people.org.slug}/records/contact/")
    page.get_by_role("link", name="Filter").click()
    row(page, "1").get_by_label("Field of condition 1").select_option(label="Last name")
    page.get_by_role("button", name="Update the form").click()
    row(page, "1").get_by_label("Value of condition 1").fill("giantess")
    page.get_by_role("button", name="Show contacts").last.click()
    assert names(page) == ["Giantess"]
    context.close()
