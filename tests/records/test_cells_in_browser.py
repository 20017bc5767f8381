"""Editing a list's cells: what a person does with keyboard and mouse, and sees."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contacts.actions.contacts import create_contact, update_contact
from contacts.models import Contact
from contacts.values import NewContact
from deals.actions.deals import update_deal
from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.records.test_palette_in_browser import new_deal
from tests.support.axe import violations
from tests.support.browser import Console

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def _list(running_keel: Any, page: Page, port: Harbour, *names: str) -> list[Contact]:
    with port.org.acting(port.rep) as rep:
        made = [create_contact(NewContact(last_name=name, title="Mate"), acting=rep) for name in names]
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/contacts/?sort=name")
    return made


def _cell(page: Page, record: Any, key: str) -> Any:
    return page.locator(f'tr[data-id="{record.pk}"] td[data-col="{key}"]')


def test_three_cells_are_edited_by_keyboard_alone(running_keel: Any, page: Page, port: Harbour, console: Console):
    console.watch(page)
    amund, birte = _list(running_keel, page, port, "Amund", "Birte")
    assert violations(page) == []
    page.get_by_role("link", name="Amund").focus()
    title = _cell(page, amund, "title")
    while not title.evaluate("el => el === document.activeElement"):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Job title of Amund")).to_be_focused()
    assert violations(page) == []
    page.keyboard.type("Captain")
    page.keyboard.press("Enter")
    expect(title).to_have_text("Captain")
    expect(title).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(_cell(page, birte, "title")).to_be_focused()
    page.keyboard.press("F2")
    expect(page.get_by_label("Job title of Birte")).to_be_focused()
    page.keyboard.type("Cook")
    page.keyboard.press("Tab")
    expect(_cell(page, birte, "title")).to_have_text("Cook")
    lifecycle = page.get_by_label("Lifecycle of Birte")
    expect(lifecycle).to_be_focused()
    lifecycle.select_option("customer")
    page.keyboard.press("Enter")
    expect(_cell(page, birte, "lifecycle")).to_have_text("Customer")
    page.keyboard.press("Enter")
    expect(lifecycle).to_be_focused()
    page.keyboard.press("Escape")
    expect(_cell(page, birte, "lifecycle")).to_be_focused()
    assert port.fresh(amund).title == "Captain"
    assert [getattr(port.fresh(birte), key) for key in ("title", "lifecycle")] == ["Cook", "customer"]
    assert console.lines == []


def test_what_follows_from_a_cell_is_right_without_loading_the_page(
    running_keel: Any, page: Page, port: Harbour, console: Console
):
    console.watch(page)
    deal = new_deal(port.org, port.rep)
    with port.org.acting(port.rep) as rep:
        update_deal(deal.pk, {"amount": 100_000}, acting=rep)
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/deals/list/?cols=amount,weighted,stage")
    before = _cell(page, deal, "weighted").inner_text()
    _cell(page, deal, "amount").dblclick()
    page.get_by_label("Amount of Wharf gantry").fill("4000")
    page.keyboard.press("Enter")
    expect(_cell(page, deal, "amount")).to_have_text(re.compile("4,000"))
    expect(_cell(page, deal, "weighted")).not_to_have_text(before)
    weighted = _cell(page, deal, "weighted").inner_text()
    expect(_cell(page, deal, "amount")).to_be_focused()
    page.reload()
    expect(_cell(page, deal, "weighted")).to_have_text(weighted)
    assert console.lines == []


def test_the_subtotals_of_a_group_follow_an_edited_cell(running_keel: Any, page: Page, port: Harbour, console: Console):
    console.watch(page)
    aurora = port.vessel("Aurora", flag="no", crew=5)
    borealis = port.vessel("Borealis", flag="no", crew=9)
    port.vessel("Corvus", flag="pa", crew=70)
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/?cols=crew,flag&group=flag")
    heads = ('tr[data-group="no"]', 'tr[data-group="pa"]', "tfoot tr")
    sums = [page.locator(f'{head} td[data-col="crew"]') for head in heads]
    expect(_cell(page, aurora, "crew")).to_have_text("5")
    assert [one.inner_text() for one in sums] == ["14", "70", "84"]
    _cell(page, aurora, "crew").dblclick()
    page.get_by_label("Crew of Aurora").fill("6")
    page.keyboard.press("Enter")
    for one, text in zip(sums, ["15", "70", "85"], strict=True):
        expect(one).to_have_text(text)
    for ship, name, texts in ((aurora, "Aurora", ["9", "76", "85"]), (borealis, "Borealis", ["", "85", "85"])):
        _cell(page, ship, "flag").dblclick()
        page.get_by_label(f"Flag of {name}").select_option("pa")
        page.keyboard.press("Enter")
        for one, text in zip(sums, texts, strict=True):
            expect(one).to_have_text(text)
    counts = page.locator("tr[data-group] .agg, tfoot .agg")
    assert counts.all_inner_texts() == ["0", "3", "3"]
    page.reload()
    assert (counts.all_inner_texts(), [one.inner_text() for one in sums[1:]]) == (["3", "3"], ["85", "85"])
    assert console.lines == []


def test_a_double_click_edits_and_leaving_the_cell_saves(
    running_keel: Any, page: Page, port: Harbour, console: Console
):
    console.watch(page)
    amund, birte = _list(running_keel, page, port, "Amund", "Birte")
    _cell(page, amund, "title").dblclick()
    page.get_by_label("Job title of Amund").fill("Purser")
    _cell(page, birte, "title").click()
    expect(_cell(page, amund, "title")).to_have_text("Purser")
    _cell(page, birte, "title").dblclick()
    page.get_by_label("Job title of Birte").fill("Nobody")
    page.keyboard.press("Escape")
    expect(_cell(page, birte, "title")).to_have_text("Mate")
    assert [port.fresh(one).title for one in (amund, birte)] == ["Purser", "Mate"]
    assert console.lines == []


def test_what_a_colleague_wrote_meanwhile_is_shown(running_keel: Any, page: Page, port: Harbour, console: Console):
    console.watch(page)
    (amund,) = _list(running_keel, page, port, "Amund")
    title = _cell(page, amund, "title")
    title.dblclick()
    control = page.get_by_label("Job title of Amund")
    control.fill("Captain")
    with port.org.acting(port.manager) as manager:
        update_contact(amund.pk, {"title": "Bosun"}, acting=manager)
    control.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Mia Manager changed this to “Bosun”")
    assert violations(page) == []
    page.get_by_label("Job title of Amund").press("Escape")
    expect(title).to_have_text("Bosun")
    title.dblclick()
    page.get_by_label("Job title of Amund").fill("Captain")
    page.keyboard.press("Enter")
    expect(title).to_have_text("Captain")
    assert [line for line in console.lines if "status of 422" not in line] == []


def test_tags_are_edited_in_the_dialog(running_keel: Any, page: Page, port: Harbour, console: Console):
    console.watch(page)
    (amund,) = _list(running_keel, page, port, "Amund")
    _cell(page, amund, "tags").dblclick()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("textbox").first.fill("Expo")
    dialog.get_by_role("textbox").first.press("Enter")
    expect(_cell(page, amund, "tags")).to_contain_text("Expo")
    expect(_cell(page, amund, "tags")).to_be_focused()
    assert console.lines == []
