"""A list as somebody lives in it: built by clicking, kept as a view, edited, changed at once and back, searched."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from contacts.models import Account, AccountContact, Contact
from crm.events.relay import deliver_due
from crm.launch.testcluster import ClusterInfo
from crm.models import SavedView
from tests.records.filters.test_in_browser import add, choose, row
from tests.records.harbour import Harbour
from tests.records.test_bin_in_browser import sign_in
from tests.records.test_own_sorting_plans import analyzed
from tests.support.axe import violations
from tests.support.browser import Console
from tests.vessels.models import Vessel

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.usefixtures("jobs_close_their_connection"),
]
MANY = 230  # more than one request changes, so that a job does it
LONG = pytest.param(5000, marks=(pytest.mark.soak, pytest.mark.timeout(1800)))


@pytest.fixture
def port() -> Harbour:
    """A private organisation with a rep, their manager, an admin, a reader, and a rep who sees none of it."""
    return Harbour()


def _decision_makers(port: Harbour, cluster: ClusterInfo, count: int) -> None:
    with port.org.system():
        kestrel, giant = (
            Account.objects.create(name=name, owner=port.manager, industry="Software", employee_count=staff)
            for name, staff in (("Kestrel", 120), ("Giant", 9000))
        )
        wanted = [Contact(first_name="Ola", last_name=f"Nordmann {n:03}", owner=port.manager) for n in range(count)]
        others = [Contact(first_name="Ysolde", last_name="Brandvik", owner=port.manager) for _n in range(2)]
        Contact.objects.bulk_create([*wanted, *others])
        links = [AccountContact(contact=one, account=kestrel, role="decision_maker") for one in wanted]
        links += [AccountContact(contact=others[0], account=giant, role="decision_maker")]
        AccountContact.objects.bulk_create(links)
    for model in (Account, Contact, AccountContact):  # as the database does by itself within a minute
        analyzed(cluster, model._meta.db_table)


def _build_the_filter(page: Page, count: int) -> None:
    page.get_by_role("button", name="Filter").click()
    row(page, "1").get_by_label("Field of condition 1").select_option(label="Accounts")
    choose(page, "1.1", "Role", "is any of").get_by_label("Decision maker").check()
    add(page, "Accounts")
    choose(page, "1.2", "Industry", "contains").get_by_label("Value of condition 1.2").fill("software")
    add(page, "Accounts")
    size = choose(page, "1.3", "Employees", "is between")
    size.get_by_label("Value of condition 1.3, until").fill("200")
    size.get_by_label("Value of condition 1.3", exact=True).fill("50")
    add(page)
    quiet = choose(page, "2", "Last activity", "is not in the last")
    expect(quiet.get_by_label("Value of condition 2", exact=True)).to_have_value("30")
    add(page)
    choose(page, "3", "Owner", "is any of").get_by_label("My team").check()
    expect(page.locator("[data-filter-form] output")).to_have_text(f"{count:,} match")
    page.get_by_role("button", name="Show contacts").click()
    page.wait_for_url("**filter=**")


def _save_for_the_team(page: Page, name: str) -> None:
    page.get_by_role("link", name="Save as").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Who sees it").select_option(label="North")
    dialog.get_by_role("button", name="Save view").click()
    expect(page.locator(".view-name")).to_have_text(name)


def _cell(page: Page, number: int, key: str) -> Locator:
    return page.locator("tbody tr[data-id]").nth(number).locator(f'td[data-col="{key}"]')


def _edit_three_cells(page: Page, key: str, words: tuple[str, str, str]) -> None:
    _cell(page, 0, key).click()
    for number, word in enumerate(words):
        expect(_cell(page, number, key)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#cell-control")).to_be_focused()
        page.keyboard.type(word)
        page.keyboard.press("Enter")
        expect(_cell(page, number, key)).to_have_text(word)
        page.keyboard.press("ArrowDown")


def _assign_all(page: Page, count: int, what: str, to: str) -> None:
    page.get_by_label("Select all on this page").check()
    bar = page.get_by_role("toolbar", name="Bulk actions")
    bar.get_by_role("button", name=f"Select all {count:,}").click()
    expect(bar).to_contain_text(f"{count:,} selected")
    bar.get_by_role("button", name="Assign").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Owner").select_option(to)
    dialog.get_by_role("button", name=f"Assign {count:,} {what}").click()
    _done(page, count)


def _done(page: Page, count: int) -> None:
    deliver_due()  # where the relay is not faster
    heading = page.get_by_role("heading", name=f"{count:,} records changed")
    expect(heading).to_be_visible(timeout=20_000 + 60 * count)


def _undo(page: Page, count: int) -> None:
    with page.expect_navigation():  # the page of the first run says the same
        page.get_by_role("button", name="Undo").click()
    _done(page, count)


def _owners(port: Harbour, model: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    with port.org.system():
        for name in model.objects.values_list("owner__user__name", flat=True):
            found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.parametrize("count", [MANY, LONG])
def test_decision_makers_are_found_kept_edited_assigned_and_taken_back(
    running_keel: Any,
    page: Page,
    port: Harbour,
    cluster: ClusterInfo,
    console: Console,
    job_worker: Any,
    count: int,
) -> None:
    _decision_makers(port, cluster, count)
    console.watch(page)
    sign_in(page.context, running_keel.url, port.manager)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/contacts/?sort=name")
    _build_the_filter(page, count)
    _save_for_the_team(page, "Quiet decision makers")
    assert violations(page) == []
    _edit_three_cells(page, "title", ("Captain", "Bosun", "Cook"))
    with port.org.system():
        titled = Contact.objects.exclude(title="").order_by("sort_name").values_list("last_name", "title")
        expected = [("Nordmann 000", "Captain"), ("Nordmann 001", "Bosun"), ("Nordmann 002", "Cook")]
        assert list(titled) == expected
        assert SavedView.objects.values_list("name", "scope", "team__name").get() == (
            "Quiet decision makers", "team", "North",
        )  # fmt: skip
    listed = page.url
    _assign_all(page, count, "contacts", "Rhea Rep")
    assert _owners(port, Contact) == {"Rhea Rep": count, "Mia Manager": 2}
    _undo(page, count)
    assert _owners(port, Contact) == {"Mia Manager": count + 2}
    with port.org.system():
        assert (
            list(Contact.objects.exclude(title="").order_by("sort_name").values_list("last_name", "title")) == expected
        )
    page.get_by_role("link", name="Open contacts").click()
    expect(page.locator(".view-name")).to_have_text("Quiet decision makers")
    assert parse_qs(urlsplit(page.url).query) == parse_qs(urlsplit(listed).query)
    page.keyboard.press("Control+k")
    page.keyboard.type("ysodle brandvik")
    expect(page.locator("#palette").get_by_role("option", name="Ysolde Brandvik").first).to_be_visible()
    page.keyboard.press("Escape")
    # The team finds the view; what it leaves depends on who looks.
    page.context.clear_cookies()
    sign_in(page.context, running_keel.url, port.rep)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/contacts/")
    page.get_by_role("button", name="All contacts").click()
    page.get_by_role("menuitemradio", name="Quiet decision makers").click()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    assert console.lines == []


def test_a_type_of_a_test_package_gets_all_of_it(
    running_keel: Any, page: Page, port: Harbour, console: Console, job_worker: Any
) -> None:
    with port.org.system():
        Vessel.objects.bulk_create(
            Vessel(name=f"Aurora {n:03}", owner=port.rep, flag="no" if n % 2 else "pa", crew=n) for n in range(MANY * 2)
        )
    console.watch(page)
    sign_in(page.context, running_keel.url, port.manager)
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/?sort=name")
    page.get_by_role("button", name="Filter").click()
    choose(page, "1", "Flag", "is any of").get_by_label("Norway").check()
    expect(page.locator("[data-filter-form] output")).to_have_text(f"{MANY} match")
    page.get_by_role("button", name="Show vessels").click()
    page.wait_for_url("**filter=**")
    _save_for_the_team(page, "Norwegian ships")
    _edit_three_cells(page, "crew", ("7", "8", "9"))
    with port.org.system():
        assert list(Vessel.objects.filter(flag="no").order_by("name").values_list("crew", flat=True)[:4]) == [
            7,
            8,
            9,
            7,
        ]
    _assign_all(page, MANY, "vessels", "Mia Manager")
    assert _owners(port, Vessel) == {"Mia Manager": MANY, "Rhea Rep": MANY}
    _undo(page, MANY)
    assert _owners(port, Vessel) == {"Rhea Rep": MANY * 2}
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/?layout=board&by=flag")
    expect(page.locator(".col-head", has_text="Norway")).to_contain_text(str(MANY))
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/?group=flag")
    expect(page.get_by_role("button", name="Rows of Panama")).to_be_visible()
    page.goto(f"{running_keel.url}/w/{port.org.slug}/records/vessel/")
    page.get_by_role("searchbox", name="Search vessels").fill("aurroa 017")
    expect(page.locator("tbody tr").first).to_contain_text("Aurora 017")
    assert console.lines == []
