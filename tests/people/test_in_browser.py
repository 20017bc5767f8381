"""People by what they can see and do: signing up, inviting, joining, changing roles, leaving; on a phone and in the dark."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from crm.models import Session, User
from tests.factories import PASSWORD
from tests.support.axe import violations
from tests.support.browser import DESKTOP, PHONE, Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def mailed_link(var: Path, to: str, patience: float = 20) -> str:
    """The link of the mail that was written for an address last."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = sorted((var / "mail").glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
        texts = [file.read_text(encoding="utf-8") for file in found]
        mine = [text for text in texts if re.search(rf"^To: {re.escape(to)}$", text, re.MULTILINE)]
        if mine:
            return re.findall(r"^https?://\S+$", mine[-1], re.MULTILINE)[-1]
        time.sleep(0.1)
    raise AssertionError(f"No mail to {to}.")


def somebody(browser: Browser, console: Console, **options: object) -> Page:
    """Another person's browser."""
    context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", **options})
    context.set_default_timeout(10_000)
    context.on("page", console.watch)
    return context.new_page()


def sign_up(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Create an organisation").click()
    page.get_by_label("Organisation name").fill("Fjord Robotics")
    page.get_by_label("Your name").fill("Lena Aalto")
    page.get_by_label("Work email").fill("lena@fjord.example")
    page.get_by_label("Password").fill(PASSWORD)
    assert violations(page) == []
    page.get_by_role("button", name="Create organisation").click()
    expect(page.get_by_role("heading", name="Look in your inbox")).to_be_visible()


def tab(page: Page, name: str) -> None:
    """Opens a tab of the pages about people; its name is followed by a count."""
    page.get_by_role("link", name=re.compile(rf"^{name} ?\d+$")).click()


def no_sideways_scroll(page: Page) -> bool:
    return not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_from_sign_up_to_a_team_of_two(running_keel, page, browser, console):
    sign_up(page, running_keel.url)
    expect(page.get_by_text(str(running_keel.var / "mail"))).to_be_visible()
    page.goto(mailed_link(running_keel.var, "lena@fjord.example"))
    page.get_by_role("button", name="Confirm email").click()
    expect(page.get_by_role("button", name="Organisation: Fjord Robotics")).to_be_visible()

    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Users and teams").click()
    tab(page, "Teams")
    page.get_by_role("link", name="Add team").first.click()
    page.get_by_label("Name").fill("Nordics")
    page.get_by_role("button", name="Add team").click()
    expect(page.get_by_text("Team Nordics is there.")).to_be_visible()

    tab(page, "People")
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("Email addresses").fill("not an address")
    page.get_by_role("button", name="Send invitations").click()
    expect(page.get_by_text("is no e-mail address")).to_be_visible()
    page.get_by_label("Email addresses").fill("maya@fjord.example")
    page.get_by_label("Nordics").check()
    assert violations(page) == []
    page.get_by_role("button", name="Send invitations").click()
    expect(page.get_by_text("1 invitation is on its way.")).to_be_visible()
    assert violations(page) == []

    maya = somebody(browser, console)
    maya.goto(mailed_link(running_keel.var, "maya@fjord.example"))
    maya.get_by_label("Your name").fill("Maya Okafor")
    maya.get_by_label("Password").fill(PASSWORD)
    assert violations(maya) == []
    maya.get_by_role("button", name="Join").click()
    expect(maya.get_by_role("button", name="Organisation: Fjord Robotics")).to_be_visible()
    assert Session.objects.get(user=User.objects.get(name="Maya Okafor")).ip_address == "127.0.0.1"

    tab(page, "People")
    page.get_by_role("button", name="Role of Maya Okafor: Sales rep").click()
    page.get_by_role("menuitemradio", name="Admin").click()
    expect(page.get_by_text("Maya Okafor is now: Admin")).to_be_visible()
    expect(page.get_by_role("button", name="Role of Maya Okafor: Admin")).to_be_visible()
    maya.get_by_role("link", name="Settings").click()
    expect(maya.get_by_role("link", name="Users and teams")).to_be_visible()

    page.get_by_role("button", name="Actions for Maya Okafor").click()
    page.get_by_role("menuitem", name="Deactivate").click()
    assert violations(page) == []
    page.get_by_role("button", name="Deactivate", exact=True).click()
    expect(page.get_by_text("Maya Okafor was deactivated.")).to_be_visible()
    # The shell's live stream of somebody who is out may be told so at any moment; the page itself answers 404.
    console.lines.clear()
    answer = maya.reload()
    assert answer is not None
    assert answer.status == 404
    console.lines.clear()
    maya.context.close()

    page.get_by_label("Search people").fill("nobody")
    expect(page.get_by_text("Nobody matches this search.")).to_be_visible()
    assert console.lines == []


@pytest.mark.parametrize(("device", "scheme"), [(PHONE, "light"), (PHONE, "dark"), (DESKTOP, "dark")])
def test_pages_are_accessible_and_fit(running_keel, browser, console, device, scheme):
    page = somebody(browser, console, viewport=device, color_scheme=scheme, has_touch=device is PHONE)
    sign_up(page, running_keel.url)
    page.goto(mailed_link(running_keel.var, "lena@fjord.example"))
    page.get_by_role("button", name="Confirm email").click()
    page.wait_for_url("**/w/**")
    base = re.match(r".*/w/[^/]+/", page.url)[0]
    for path in ("profile", "general", "currencies", "users", "teams", "teams/new", "invitations", "invitations/new"):
        page.goto(f"{base}settings/{path}/")
        assert violations(page) == [], path
        assert no_sideways_scroll(page), path
    page.goto(running_keel.url + "/orgs/new/")
    assert violations(page) == []
    page.context.close()
    assert console.lines == []
