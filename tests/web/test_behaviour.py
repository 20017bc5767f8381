"""What the shell and its components do in a browser, under the strict policy and without a word on the console."""

import re
from collections.abc import Iterator

import pytest
from django.template import engines
from jinja2 import ChoiceLoader, DictLoader
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.support.browser import PHONE, Console
from tests.web import pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.web.pages")]


@pytest.fixture
def site(live_server: LiveServer, page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    env = engines["jinja2"].env
    monkeypatch.setattr(env, "loader", ChoiceLoader([DictLoader(pages.TEMPLATES), env.loader]))
    pages.done.clear()
    page.goto(live_server.url)
    return page


def test_dialog_loads_its_form_and_keeps_what_was_refused(site: Page, console: Console) -> None:
    site.get_by_role("link", name="New contact").click()
    dialog = site.get_by_role("dialog", name="New contact")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Note").fill("met at the fair")
    dialog.get_by_role("button", name="Add contact").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    expect(dialog.get_by_label("Name")).to_be_focused()
    expect(dialog.get_by_label("Note")).to_have_value("met at the fair")
    assert pages.done == []
    # The browser itself reports a 422 as a failed resource.
    assert [line for line in console.lines if "422" not in line] == []


def test_dialog_closes_and_the_toast_takes_it_back(site: Page, console: Console) -> None:
    site.get_by_role("link", name="New contact").click()
    dialog = site.get_by_role("dialog", name="New contact")
    dialog.get_by_label("Name").fill("Ines")
    dialog.get_by_role("button", name="Add contact").click()
    expect(dialog).to_be_hidden()
    toast = site.locator(".toast", has_text="Contact added")
    toast.get_by_role("button", name="Undo").click()
    expect(site.locator(".toast", has_text="Taken back")).to_be_visible()
    expect(toast).to_be_hidden()
    assert pages.done == ["add Ines", "undo by POST"]
    assert console.lines == []


def test_dialog_left_by_escape_or_cancel_changes_nothing(site: Page, console: Console) -> None:
    for leave in (lambda: site.keyboard.press("Escape"), lambda: site.get_by_role("link", name="Cancel").click()):
        site.get_by_role("link", name="New contact").click()
        dialog = site.get_by_role("dialog", name="New contact")
        expect(dialog).to_be_visible()
        leave()
        expect(dialog).to_be_hidden()
    expect(site.locator("#dialog")).to_be_empty()
    assert (pages.done, console.lines) == ([], [])


def test_form_works_as_a_page_of_its_own_without_script(site: Page, live_server: LiveServer) -> None:
    context = site.context.browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{live_server.url}/new/")
    plain.get_by_label("Name").fill("Ines")
    plain.get_by_role("textbox", name="Emails").first.fill("ines@halden.example")
    plain.get_by_role("button", name="Add contact").click()
    plain.wait_for_timeout(200)
    context.close()
    assert pages.done == ["add Ines ines@halden.example primary"]


def test_rows_added_removed_and_one_chosen(site: Page, console: Console) -> None:
    site.get_by_role("link", name="New contact").click()
    dialog = site.get_by_role("dialog", name="New contact")
    dialog.get_by_label("Name").fill("Ines")
    values = dialog.locator("[data-rows] li .input")
    values.nth(0).fill("a@x.example")
    dialog.get_by_role("button", name="Add another").click()
    expect(values.nth(1)).to_be_focused()
    values.nth(1).fill("b@x.example")
    dialog.get_by_role("button", name="Add another").click()
    values.nth(2).fill("c@x.example")
    dialog.get_by_label("Primary").nth(1).check()
    dialog.get_by_role("button", name="Remove").nth(0).click()
    dialog.get_by_role("button", name="Add contact").click()
    expect(dialog).to_be_hidden()
    assert pages.done == ["add Ines b@x.example primary, c@x.example"]
    assert console.lines == []


def test_removal_of_the_primary_row_makes_another_one_primary(site: Page) -> None:
    site.get_by_role("link", name="New contact").click()
    dialog = site.get_by_role("dialog", name="New contact")
    dialog.get_by_role("button", name="Add another").click()
    dialog.get_by_role("button", name="Remove").nth(0).click()
    expect(dialog.locator("[data-rows] li")).to_have_count(1)
    assert dialog.locator("[data-rows] li input[type=radio]").is_checked()


def test_confirmation_in_our_dialog(site: Page, console: Console) -> None:
    delete = site.get_by_role("button", name="Delete", exact=True)
    confirm = site.get_by_role("dialog", name="Are you sure?")
    delete.click()
    expect(confirm.get_by_text("Delete it for good?")).to_be_visible()
    expect(confirm.get_by_role("button", name="Cancel")).to_be_focused()
    confirm.get_by_role("button", name="Cancel").click()
    expect(confirm).to_be_hidden()
    assert pages.done == []
    delete.click()
    with site.expect_response("**/thing/"):
        confirm.get_by_role("button", name="Delete contact").click()
    assert pages.done == ["thing by DELETE"]
    assert console.lines == []


def test_confirmation_of_a_plain_form(site: Page) -> None:
    site.get_by_role("button", name="Plain form").click()
    confirm = site.get_by_role("dialog", name="Are you sure?")
    site.keyboard.press("Escape")
    expect(confirm).to_be_hidden()
    assert pages.done == []
    site.get_by_role("button", name="Plain form").click()
    with site.expect_navigation():
        confirm.get_by_role("button", name="Continue").click()
    assert pages.done == ["plain by POST"]


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ("Conflict", "Not saved. Jonas Lind was faster."),
        ("Broken", "That did not work. Reload the page and try again."),
    ],
)
def test_refusal_is_said_in_a_toast_that_stays(site: Page, button: str, words: str) -> None:
    site.get_by_role("button", name=button).click()
    toast = site.locator('.toast[data-kind="error"]')
    expect(toast).to_have_text(re.compile(re.escape(words)))
    expect(site.locator("#count")).to_have_text("nothing yet")
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def test_server_that_is_gone_is_said(site: Page) -> None:
    site.route("**/conflict/", lambda route: route.abort())
    site.get_by_role("button", name="Conflict").click()
    expect(site.locator('.toast[data-kind="error"]')).to_contain_text("cannot be reached")


def test_theme_kept_and_rendered_by_the_server(site: Page, console: Console) -> None:
    site.get_by_role("button", name="Menu", exact=True).first.click()
    site.get_by_role("menuitemradio", name="Dark").click()
    expect(site.locator("html")).to_have_attribute("data-theme", "dark")
    site.reload()
    assert 'data-theme="dark"' in site.evaluate("fetch('/').then((r) => r.text())").split("<head>")[0]
    expect(site.locator("html")).to_have_attribute("data-theme", "dark")
    assert console.lines == []


def test_keys_of_the_page_and_off_while_typing(site: Page, console: Console) -> None:
    words = site.get_by_label("Words")
    words.press("g")
    words.press("n")
    expect(words).to_have_value("gn")
    words.blur()
    site.keyboard.press("c")
    expect(site.get_by_role("dialog", name="New contact")).to_be_visible()
    site.keyboard.press("Escape")
    site.keyboard.press("?")
    expect(site.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    site.keyboard.press("Escape")
    with site.expect_navigation(url="**/next/"):
        site.keyboard.press("g")
        site.keyboard.press("n")
    assert console.lines == []


def test_keys_switched_off_stay_off(site: Page) -> None:
    site.keyboard.press("?")
    site.get_by_label("Single-key shortcuts").uncheck()
    site.keyboard.press("Escape")
    site.reload()
    site.keyboard.press("c")
    site.wait_for_timeout(300)
    expect(site.locator("#dialog")).to_be_hidden()


def test_menu_by_keyboard(site: Page, console: Console) -> None:
    button = site.get_by_role("button", name="Menu", exact=True).first
    button.focus()
    site.keyboard.press("Enter")
    expect(site.get_by_role("menuitem", name="First")).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    site.keyboard.press("ArrowDown")
    expect(site.get_by_role("menuitem", name="Second")).to_be_focused()
    site.keyboard.press("Escape")
    expect(button).to_be_focused()
    assert console.lines == []


def test_rows_picked_by_pointer_and_keyboard(site: Page, console: Console) -> None:
    bar = site.get_by_role("toolbar", name="Bulk actions")
    expect(bar).to_be_hidden()
    site.get_by_label("Select A", exact=True).check()
    site.get_by_label("Select C").click(modifiers=["Shift"])
    expect(bar.locator("output")).to_have_text("3")
    site.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()
    site.locator("body").press("j")
    site.keyboard.press("j")
    site.keyboard.press("x")
    expect(site.get_by_label("Select B")).to_be_checked()
    site.get_by_label("Select all on this page").check()
    expect(bar.locator("output")).to_have_text("3")
    assert console.lines == []


def test_panels_shown_one_at_a_time(site: Page) -> None:
    site.get_by_role("tab", name="One").focus()
    site.keyboard.press("ArrowRight")
    expect(site.get_by_text("second panel")).to_be_visible()
    expect(site.get_by_text("first panel")).to_be_hidden()


def test_sidebar_closed_stays_closed(site: Page) -> None:
    toggle = site.get_by_role("button", name="Show or hide the sidebar")
    toggle.click()
    expect(site.locator(".sidebar")).to_be_hidden()
    site.reload()
    expect(site.locator(".sidebar")).to_be_hidden()
    expect(toggle).to_have_attribute("aria-expanded", "false")


def test_sidebar_is_a_drawer_on_a_phone(site: Page) -> None:
    site.set_viewport_size(PHONE)
    expect(site.locator(".sidebar")).to_be_hidden()
    site.get_by_role("button", name="Show or hide the sidebar").click()
    expect(site.locator(".sidebar")).to_be_visible()
    site.keyboard.press("Escape")
    expect(site.locator(".sidebar")).to_be_hidden()
    assert site.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
