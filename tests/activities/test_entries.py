"""One entry of a timeline: the way to it, however old it is, and its history with old values that go back."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from activities.actions import tasks
from activities.actions.log import delete_activity, update_activity
from activities.models import Activity
from crm.models import Membership
from crm.records import timeline as port
from tests.activities.conftest import Desk, statements
from tests.activities.test_pages import part, path, texts, timeline
from tests.support.web import client_for

pytestmark = pytest.mark.django_db
NEWEST = 24  # notes on the first page: what tells that the record was made stands among them
LOST = "The entry that the link leads to is not here any more"
KINDS = ("contact", "account", "deal")


def notes(desk: Desk, count: int, kind: str = "contact", **values: Any) -> list[Activity]:
    """Notes on a record, the newest first, an hour between them."""
    now, about = timezone.now(), {f"{kind}_id": getattr(desk, kind).pk}
    return [desk.log(body=str(n), occurred_at=now - dt.timedelta(hours=n), **about, **values) for n in range(count)]


def opened(desk: Desk, query: str, who: Membership | None = None, kind: str = "contact") -> str:
    """A record's page."""
    response = client_for(who or desk.rep).get(path(desk, f"{kind}s/{getattr(desk, kind).pk}/{query}"))
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def marked(page: str) -> list[str]:
    return re.findall(r'<article class="tl" id="([^"]+)" aria-current="true">', page)


# ---------------------------------------------------------------- the way to an entry


@pytest.mark.parametrize("kind", KINDS)
def test_page_opened_at_an_old_entry_begins_with_it(desk: Desk, kind: str):
    made = notes(desk, 60, kind)
    page = opened(desk, f"?entry={made[40].pk}", kind=kind)
    assert texts(page)[:20] == [str(n) for n in range(40, 60)]
    assert marked(page) == [f"a-{made[40].pk}"]
    assert "Back to the newest" in page
    page = opened(desk, f"?entry={made[30].pk}", kind=kind)
    assert texts(page) == [str(n) for n in range(30, 55)]
    [older] = re.findall(r'hx-get="([^"]*after=[^"]*)"', page)
    assert texts(part(client_for(desk.rep), html.unescape(older), target=""))[:5] == ["55", "56", "57", "58", "59"]


def test_entry_among_the_newest_is_marked_where_it_stands(desk: Desk):
    made = notes(desk, 30)
    plain, page = opened(desk, ""), opened(desk, f"?entry={made[NEWEST - 1].pk}")
    assert texts(page) == texts(plain) == [str(n) for n in range(NEWEST)]
    assert (marked(plain), marked(page)) == ([], [f"a-{made[NEWEST - 1].pk}"])
    assert ("Back to the newest" in page, LOST in page) == (False, False)


def test_entry_is_found_among_many_of_one_moment(desk: Desk):
    at = timezone.now() - dt.timedelta(days=3)
    made = [desk.log(body=str(n), occurred_at=at) for n in range(60)]
    shown = sorted(made, key=lambda row: row.pk, reverse=True)
    for number in (0, NEWEST - 1, NEWEST, 31, 59):
        page = opened(desk, f"?entry={shown[number].pk}")
        begin, size = (number, 25) if number >= NEWEST else (0, NEWEST)
        assert texts(page) == [row.body for row in shown[begin : begin + size]]
        assert marked(page) == [f"a-{shown[number].pk}"]


def test_addresses_of_activities_and_search_lead_to_the_entry(desk: Desk):
    notes(desk, 30)
    desk.log(body="They asked about the spinnaker.", occurred_at=timezone.now() - dt.timedelta(days=9))
    with desk.org.system():
        old = Activity.objects.get(body__contains="spinnaker")
    wanted = path(desk, f"contacts/{desk.contact.pk}/?entry={old.pk}#a-{old.pk}")
    client = client_for(desk.rep)
    assert client.get(path(desk, f"activities/{old.pk}/"))["Location"] == wanted
    assert html.escape(wanted) in client.get(path(desk, "search/?q=spinnaker")).content.decode()
    assert texts(opened(desk, f"?entry={old.pk}"))[0] == "They asked about the spinnaker."


def test_entry_that_is_not_there_for_the_reader_answers_like_one_that_never_was(desk: Desk):
    made = notes(desk, 30)
    elsewhere = desk.log(body="Elsewhere", deal_id=desk.deal.pk)
    deleted = made[29]
    with desk.org.acting(desk.rep) as rep:
        delete_activity(deleted.pk, acting=rep)
    # On the contact's page, but about a deal that the stranger does not see.
    hidden = desk.log(
        body="Hidden", deal_id=desk.deal.pk, contact_id=desk.contact.pk,
        occurred_at=timezone.now() - dt.timedelta(days=9),
    )  # fmt: skip
    desk.share(desk.stranger)
    never = opened(desk, f"?entry={uuid4()}", desk.stranger)
    assert (LOST in never, texts(never), marked(never)) == (True, [str(n) for n in range(NEWEST)], [])
    for row in (elsewhere, deleted, hidden):
        page = opened(desk, f"?entry={row.pk}", desk.stranger)
        assert page.partition('id="timeline"')[2] == never.partition('id="timeline"')[2]
    assert texts(opened(desk, f"?entry={hidden.pk}"))[0] == "Hidden"


@pytest.mark.parametrize("query", ["?entry=x", "?entry=", "?tab=notes&entry={pk}", "?q=1&entry={pk}"])
def test_entry_is_left_alone_where_it_says_nothing_or_a_part_was_chosen(desk: Desk, query: str):
    made = notes(desk, 40)
    page = opened(desk, query.format(pk=made[35].pk))
    assert (marked(page), LOST in page, texts(page)[0]) == ([], False, "0" if "q=" not in query else "1")


def test_page_that_follows_stays_at_the_entry(desk: Desk):
    made = notes(desk, 40)
    page = opened(desk, f"?entry={made[35].pk}")
    assert f'id="timeline-entry" name="entry" value="{made[35].pk}"' in page
    client, headers = client_for(desk.rep), {"HX-Request": "true", "HX-Target": "timeline-list"}
    asked = {"following": "1", "tab": "", "q": "", "entry": str(made[35].pk)}
    again = client.get(timeline(desk), asked, headers=headers)
    assert texts(again.content.decode())[:5] == [str(n) for n in range(35, 40)]
    assert again["HX-Replace-Url"] == path(desk, f"contacts/{desk.contact.pk}/?entry={made[35].pk}")
    with desk.org.acting(desk.rep) as rep:
        delete_activity(made[35].pk, acting=rep)
    gone = client.get(timeline(desk), asked, headers=headers)
    assert (texts(gone.content.decode())[0], LOST in gone.content.decode()) == ("0", False)
    assert gone["HX-Replace-Url"] == path(desk, f"contacts/{desk.contact.pk}/")


def test_only_an_old_entry_costs_more_statements(desk: Desk):
    made = notes(desk, 40)
    client, page = client_for(desk.rep), path(desk, f"contacts/{desk.contact.pk}/")

    def count(client: Client, query: str) -> int:
        statements(client, page + query)
        return statements(client, page + query)

    plain = count(client, "")
    assert count(client, f"?entry={made[3].pk}") == plain
    assert count(client, f"?entry={made[35].pk}") <= plain + 6


# ---------------------------------------------------------------- its history


def histories(page: str) -> list[str]:
    found = re.findall(
        r'<a class="[^"]*" href="([^"]*)" hx-get="([^"]*)" hx-target="#drawer" aria-label="History', page
    )
    assert all(href == got for href, got in found)
    return [href for href, _got in found]


def test_every_entry_that_people_or_tasks_wrote_leads_to_its_history(desk: Desk):
    note = desk.log(body="Lease", occurred_at=timezone.now() - dt.timedelta(hours=1))
    with desk.org.acting(desk.rep) as rep:
        done = tasks.create_task({"title": "Send it", "contact": desk.contact.pk, "status": "done"}, acting=rep)
        port.write([port.Entry(kind="system", data={"event": "created"}, contact_id=desk.contact.pk)], acting=rep)
    with desk.org.system():
        entry = Activity.objects.get(data__task=str(done.pk))
    wanted = {path(desk, f"records/activity/{row.pk}/history/") for row in (entry, note)}
    for who in (desk.rep, desk.reader):
        page = opened(desk, "", who).partition('id="timeline"')[2]
        assert set(histories(page)) == wanted
        assert all(client_for(who).get(address).status_code == 200 for address in wanted)
    form = client_for(desk.rep).get(path(desk, f"activities/{note.pk}/edit/")).content.decode()
    assert form.count(path(desk, f"records/activity/{note.pk}/history/")) == 1
    assert "/history/" not in client_for(desk.rep).get(path(desk, "activities/new/")).content.decode()


def test_history_says_who_changed_what_and_puts_one_value_back(real_desk: Desk):
    desk = real_desk
    call = desk.log(type="call", outcome="no_answer", subject="Rang", body="Nobody there")
    with desk.org.acting(desk.boss) as boss:
        update_activity(call.pk, {"outcome": "connected", "body": "Spoke after all"}, acting=boss)
    client, address = client_for(desk.rep), path(desk, f"records/activity/{call.pk}/history/")
    page = client.get(address).content.decode()
    told = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))
    assert "History of Rang" in page
    assert [word in told for word in ("Lena Aalto changed 2 fields", "No answer Connected", "Maya Okafor created it")] == [
        True, True, True,
    ]  # fmt: skip
    assert f'href="{path(desk, f"activities/{call.pk}/")}"' in page
    [put_back] = [action for action in re.findall(r'action="([^"]*)"', page) if action.endswith("/outcome/")]
    assert client.post(put_back)["Location"] == address
    now = desk.fresh(call)
    assert (now.outcome, now.body, now.version) == ("no_answer", "Spoke after all", 3)
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(address).content.decode()))
    assert "Maya Okafor changed 1 field" in told
    assert "Connected No answer" in told


def test_history_of_an_entry_offers_nothing_to_who_may_not_correct_it(real_desk: Desk):
    desk = real_desk
    note = desk.log(body="Lease")
    with desk.org.acting(desk.boss) as boss:
        update_activity(note.pk, {"body": "Leasing"}, acting=boss)
        done = tasks.create_task({"title": "Send", "contact": desk.contact.pk, "status": "done"}, acting=boss)
    with desk.org.acting(desk.boss) as boss:
        tasks.update_task(done.pk, {"title": "Send it"}, acting=boss)
    with desk.org.system():
        entry = Activity.objects.get(data__task=str(done.pk))
    found = {}
    for row in (note, entry):
        for who in (desk.boss, desk.reader):
            page = client_for(who).get(path(desk, f"records/activity/{row.pk}/history/")).content.decode()
            found[row.type, who.role] = re.findall(r'action="([^"]*/history/\d+/[^"]*)"', page)
    [put_back] = found.pop(("note", "manager"))
    assert found == {("note", "readonly"): [], ("task", "manager"): [], ("task", "readonly"): []}
    assert client_for(desk.reader).post(put_back).status_code == 404
    assert desk.fresh(note).body == "Leasing"
    assert client_for(desk.stranger).get(path(desk, f"records/activity/{note.pk}/history/")).status_code == 404


def test_long_text_is_cut_where_it_stands_in_for_a_name(desk: Desk):
    note = desk.log(body="Lease " * 100)
    page = client_for(desk.rep).get(path(desk, f"records/activity/{note.pk}/history/")).content.decode()
    [title] = re.findall(r"<title>([^<]*)</title>", page)
    assert len(title) < 200
