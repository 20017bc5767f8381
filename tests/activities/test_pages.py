"""Composer, timeline and dialogs as pages and as parts."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from activities.models import Activity
from contacts.models import Contact
from deals.models import DealContact
from tests.activities.conftest import Desk, statements
from tests.support.web import client_for

KINDS = ("contact", "account", "deal")


def path(desk: Desk, rest: str) -> str:
    return f"/w/{desk.org.slug}/{rest}"


def timeline(desk: Desk, kind: str = "contact") -> str:
    return path(desk, f"timeline/{kind}/{getattr(desk, kind).pk}/")


def part(client: Client, url: str, target: str = "timeline-list", **query: str) -> str:
    response = client.get(url, query, headers={"HX-Request": "true", "HX-Target": target})
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def texts(page: str) -> list[str]:
    """The bodies of the entries' cards, in order."""
    return [html.unescape(text) for text in re.findall(r'<div class="tl-body soft"><p>(.*?)</p>', page)]


def sent(client: Client, url: str, data: dict[str, Any], *, htmx: bool = True, target: str = "timeline") -> Any:
    headers = {"HX-Request": "true", "HX-Target": target} if htmx else {}
    return client.post(url, data, headers=headers)


def only(desk: Desk) -> Activity:
    with desk.org.system():
        return Activity.objects.get()


# ---------------------------------------------------------------- reading


def test_page_that_follows_a_record_which_is_gone_gets_nothing(desk: Desk):
    client, headers = client_for(desk.stranger), {"HX-Request": "true", "HX-Target": "timeline-list"}
    answers = [client.get(timeline(desk), query, headers=headers) for query in ({"following": "1"}, {})]
    assert [answer.status_code for answer in answers] == [204, 404]


@pytest.mark.parametrize("kind", ["contact", "account"])
def test_record_page_shows_composer_and_timeline(desk: Desk, kind: str):
    desk.log(body="The lease option", **{f"{kind}_id": getattr(desk, kind).pk})
    page = client_for(desk.rep).get(path(desk, f"{kind}s/{getattr(desk, kind).pk}/"))
    assert page.status_code == 200
    assert texts(page.content.decode()) == ["The lease option"]
    assert page.content.count(b"data-composer>") == 1


def test_record_page_without_composer_for_who_may_only_read(desk: Desk):
    desk.log(body="The lease option")
    desk.share(desk.stranger)
    for who in (desk.reader, desk.stranger):
        page = client_for(who).get(path(desk, f"contacts/{desk.contact.pk}/")).content.decode()
        assert texts(page) == ["The lease option"]
        assert "data-composer>" not in page
        assert "/edit/" not in page.partition('id="timeline"')[2].partition("</section>")[0]


def test_record_page_takes_the_tab_and_the_search_from_its_address(desk: Desk):
    desk.log(body="One lease")
    desk.log(type="call", body="Two lease")
    desk.log(type="call", body="Three")
    page = client_for(desk.rep).get(path(desk, f"contacts/{desk.contact.pk}/?tab=calls&q=lease")).content.decode()
    assert texts(page) == ["Two lease"]
    assert 'value="calls" checked' in page
    assert 'name="q" value="lease"' in page


def test_contact_page_takes_at_most_twelve_statements(desk: Desk):
    for number in range(30):
        desk.log(body=str(number))
    with desk.org.acting(desk.rep):
        Contact.objects.filter(pk=desk.contact.pk).update(title="CFO", lifecycle="sql")
    assert statements(client_for(desk.rep), path(desk, f"contacts/{desk.contact.pk}/")) <= 12


@pytest.mark.parametrize("kind", KINDS)
def test_timeline_part_for_htmx(desk: Desk, kind: str):
    desk.log(body="Hello", **{f"{kind}_id": getattr(desk, kind).pk})
    found = part(client_for(desk.rep), timeline(desk, kind))
    assert found.lstrip().startswith('<div class="timeline" id="timeline-list">')
    assert texts(found) == ["Hello"]


def test_timeline_part_puts_its_filter_into_the_address(desk: Desk):
    client = client_for(desk.rep)
    headers = {"HX-Request": "true", "HX-Target": "timeline-list"}
    response = client.get(timeline(desk), {"tab": "notes", "q": " lease "}, headers=headers)
    assert response["HX-Replace-Url"] == path(desk, f"contacts/{desk.contact.pk}/?tab=notes&q=lease")


def test_timeline_loaded_as_a_page_leads_to_the_record(desk: Desk):
    response = client_for(desk.rep).get(timeline(desk) + "?tab=calls")
    assert (response.status_code, response["Location"]) == (302, path(desk, f"contacts/{desk.contact.pk}/?tab=calls"))


def test_timeline_shows_older_entries_without_repeating_the_day(desk: Desk):
    day = dt.datetime(2026, 3, 14, 9, tzinfo=dt.UTC)
    for number in range(30):
        desk.log(body=str(number), occurred_at=day + dt.timedelta(minutes=number))
    desk.log(body="The day before", occurred_at=day - dt.timedelta(days=1))
    client = client_for(desk.rep)
    first = part(client, timeline(desk), tab="notes")
    [older] = re.findall(r'hx-get="([^"]*after=[^"]*)"', first)
    more = part(client, html.unescape(older), target="")
    assert texts(first) + texts(more) == [*(str(n) for n in reversed(range(30))), "The day before"]
    assert first.count('class="tl-day"') == 1
    assert re.findall(r'class="tl-day">\w+ <span class="d">([^<]*)<', more) == ["13 Mar"]
    assert "after=" not in more


def test_timeline_older_without_script_is_the_records_page(desk: Desk):
    for number in range(26):
        desk.log(body=str(number), occurred_at=timezone.now() - dt.timedelta(days=number))
    client = client_for(desk.rep)
    page = client.get(path(desk, f"contacts/{desk.contact.pk}/?tab=notes")).content.decode()
    [link] = [html.unescape(href) for href in re.findall(r'href="([^"]*after=[^"]*)"', page)]
    assert urlsplit(link).path == path(desk, f"contacts/{desk.contact.pk}/")
    older = client.get(link).content.decode()
    assert texts(older) == ["25"]
    assert "Back to the newest" in older


def test_timeline_heads_of_days_are_words(desk: Desk):
    with timezone.override(ZoneInfo("UTC")):
        desk.log(body="a")
        desk.log(body="b", occurred_at=timezone.now() - dt.timedelta(days=1))
        desk.log(body="c", occurred_at=timezone.now() - dt.timedelta(days=4))
        weekday = (timezone.now() - dt.timedelta(days=4)).strftime("%A")
        found = part(client_for(desk.rep), timeline(desk), tab="notes")
    assert re.findall(r'class="tl-day">(\w+) ', found) == ["Today", "Yesterday", weekday]


def test_timeline_empty_and_nothing_found_say_so(desk: Desk):
    client = client_for(desk.rep)
    assert "Nothing found" in part(client, timeline(desk), tab="calls")
    assert "Nothing found" in part(client, timeline(desk), q="zeppelin")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"type": "note"}, "Maya Okafor added a note"),
        ({"type": "call"}, "Maya Okafor called Ines Connected"),
        ({"type": "call", "direction": "inbound", "outcome": "busy"}, "Ines called Maya Okafor Busy"),
        ({"type": "meeting", "subject": "Kick-off"}, "Maya Okafor met Ines"),
        (
            {"type": "meeting", "subject": "Demo", "occurred_at": timezone.now() + dt.timedelta(days=9)},
            "Maya Okafor plans to meet Ines Planned",
        ),
    ],
)
def test_timeline_sentences(desk: Desk, values: dict[str, Any], sentence: str):
    desk.log(**values)
    found = part(client_for(desk.rep), timeline(desk))
    [line] = re.findall(r'<span class="tl-text">(.*?)</span><span class="tl-acts">', found, re.DOTALL)
    assert " ".join(re.sub("<[^>]+>", " ", line).split()) == sentence


def test_timeline_escapes_what_people_wrote(desk: Desk):
    desk.log(body="<script>alert(1)</script>\n\n<b>two</b>", subject="<i>x</i>")
    found = part(client_for(desk.rep), timeline(desk))
    assert "<script>" not in found
    assert "<i>x</i>" not in found
    assert texts(found)[0] == "<script>alert(1)</script>"


@pytest.mark.parametrize("kind", KINDS)
def test_timeline_of_a_record_out_of_reach_is_absent(desk: Desk, kind: str):
    client = client_for(desk.stranger)
    assert client.get(timeline(desk, kind)).status_code == 404
    assert sent(client, timeline(desk, kind), {"type": "note", "body": "x"}).status_code == 404
    assert desk.count() == 0


def test_timeline_of_an_unknown_kind_is_absent(desk: Desk):
    assert client_for(desk.rep).get(path(desk, f"timeline/stage/{desk.contact.pk}/")).status_code == 404


# ---------------------------------------------------------------- logging


@pytest.mark.parametrize("kind", KINDS)
def test_composer_logs_on_each_kind_of_record(desk: Desk, kind: str):
    response = sent(client_for(desk.rep), timeline(desk, kind), {"type": "note", "body": "They sign on Friday"})
    page = response.content.decode()
    assert response.status_code == 200
    assert texts(page)[0] == "They sign on Friday"
    assert 'id="composer" hx-swap-oob="true"' in page
    assert "They sign on Friday" not in page.partition('id="composer"')[2]
    assert '"Note added"' in response["HX-Trigger"]
    assert getattr(only(desk), f"{kind}_id") == getattr(desk, kind).pk


def test_composer_logs_a_call_in_the_readers_zone(desk: Desk):
    user = desk.rep.user
    with desk.org.system():
        type(user).objects.filter(pk=user.pk).update(time_zone="America/New_York")
    data = {
        "type": "call", "outcome": "voicemail", "direction": "inbound", "minutes": "13", "subject": "Proposal",
        "body": "Asked for the pdf", "occurred_at": "2026-03-14T09:20",
    }  # fmt: skip
    sent(client_for(desk.rep), timeline(desk), data)
    made = only(desk)
    assert (made.outcome, made.direction, made.duration_seconds) == ("voicemail", "inbound", 780)
    assert made.occurred_at == dt.datetime(2026, 3, 14, 13, 20, tzinfo=dt.UTC)


def test_composer_ignores_what_belongs_to_another_kind(desk: Desk):
    """Without script the lines of all kinds are sent."""
    data = {"type": "note", "body": "Just a note", "outcome": "connected", "direction": "outbound", "minutes": "5"}
    response = sent(client_for(desk.rep), timeline(desk), data, htmx=False)
    assert (response.status_code, response["Location"]) == (302, path(desk, f"contacts/{desk.contact.pk}/"))
    made = only(desk)
    assert (made.outcome, made.direction, made.duration_seconds) == ("", "", None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"type": "note", "body": " "}, "Write the note."),
        ({"type": "meeting", "body": ""}, "Say what the meeting was about."),
        ({"type": "call", "outcome": "connected", "minutes": "9999"}, "1440"),
        ({"type": "call", "outcome": "connected", "occurred_at": "yesterday"}, "date"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_composer_refused_keeps_what_was_typed(desk: Desk, data: dict[str, str], said: str, htmx: bool):
    client = client_for(desk.rep)
    response = sent(
        client, timeline(desk), {"subject": "Zeppelin" if data["type"] != "meeting" else "", **data}, htmx=htmx
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    if data["type"] == "call":
        assert 'value="Zeppelin"' in page
        assert 'id="ct-call" aria-controls="composer-body" aria-selected="true"' in page
    if htmx:
        assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#composer", "outerHTML")
    assert desk.count() == 0


def test_composer_of_a_deal_asks_whom_it_was_with(desk: Desk):
    with desk.org.system():
        DealContact.objects.create(deal=desk.deal, contact=desk.contact, is_primary=True)
        stranger = Contact.objects.create(first_name="Not", last_name="Visible", owner=desk.stranger)
        DealContact.objects.create(deal=desk.deal, contact=stranger)
    client = client_for(desk.rep)
    data = {"type": "meeting", "subject": "Kick-off", "contact": str(desk.contact.pk)}
    page = sent(client, timeline(desk, "deal"), data).content.decode()
    choices = re.search(r'<select id="c-contact".*?</select>', page, re.DOTALL)
    assert choices is not None
    assert re.findall(r"<option[^>]*>([^<]*)<", choices[0]) == ["Nobody in particular", "Ines Marchetti"]
    made = only(desk)
    assert (made.deal_id, made.contact_id) == (desk.deal.pk, desk.contact.pk)


def test_composer_of_a_deal_refuses_a_contact_of_another_deal(desk: Desk):
    data = {"type": "meeting", "subject": "Kick-off", "contact": str(desk.contact.pk)}
    with desk.org.system():
        other = Contact.objects.create(first_name="Erik", owner=desk.rep)
        DealContact.objects.create(deal=desk.deal, contact=other)
    assert sent(client_for(desk.rep), timeline(desk, "deal"), data).status_code == 422
    assert desk.count() == 0


@pytest.mark.parametrize(("who", "status"), [("reader", 403), ("stranger", 403)])
def test_composer_by_who_may_only_read_changes_nothing(desk: Desk, who: str, status: int):
    desk.share(desk.stranger)
    client = client_for(getattr(desk, who))
    for url in (timeline(desk), path(desk, f"activities/new/?contact={desk.contact.pk}")):
        assert sent(client, url, {"type": "note", "body": "x"}).status_code == status
    assert desk.count() == 0


def test_composer_of_an_unknown_kind_is_refused(desk: Desk):
    assert sent(client_for(desk.rep), timeline(desk), {"type": "system", "body": "x"}).status_code == 422
    assert desk.count() == 0


# ---------------------------------------------------------------- the dialog


@pytest.mark.parametrize("kind", KINDS)
def test_dialog_logs_on_the_record_of_its_address(desk: Desk, kind: str):
    url = path(desk, f"activities/new/?{kind}={getattr(desk, kind).pk}&type=call")
    client = client_for(desk.rep)
    form = part(client, url, target="dialog")
    assert form.lstrip().startswith("<form")
    response = sent(client, url, {"outcome": "connected", "body": "Said yes"}, target="dialog")
    assert response.status_code == 204
    assert "closeDialog" in response["HX-Trigger"]
    assert "recordChanged" in response["HX-Trigger"]
    made = only(desk)
    assert (made.type, made.body, getattr(made, f"{kind}_id")) == ("call", "Said yes", getattr(desk, kind).pk)


def test_dialog_without_a_record_asks_for_a_contact(desk: Desk):
    client, url = client_for(desk.rep), path(desk, "activities/new/?type=call")
    assert "Ines Marchetti" in part(client, url, target="dialog")
    assert sent(client, url, {"outcome": "connected"}, target="dialog").status_code == 422
    sent(client, url, {"outcome": "connected", "contact": str(desk.contact.pk)}, target="dialog")
    assert only(desk).contact_id == desk.contact.pk


def test_dialog_with_a_contact_out_of_reach_changes_nothing(desk: Desk):
    url = path(desk, "activities/new/?type=call")
    data = {"outcome": "connected", "contact": str(desk.contact.pk)}
    assert sent(client_for(desk.stranger), url, data, target="dialog").status_code == 404
    assert desk.count() == 0


def test_dialog_as_a_page_logs_and_leads_to_the_record(desk: Desk):
    url = path(desk, f"activities/new/?deal={desk.deal.pk}&type=note")
    client = client_for(desk.rep)
    assert b"<!doctype html>" in client.get(url).content
    response = sent(client, url, {"body": "Hello"}, htmx=False)
    assert response.status_code == 302
    assert str(desk.deal.pk) in response["Location"]


def test_dialog_of_each_kind_is_one_click_away(desk: Desk):
    url = path(desk, f"activities/new/?contact={desk.contact.pk}")
    form = part(client_for(desk.rep), url, target="dialog")
    links = [parse_qs(urlsplit(html.unescape(href)).query) for href in re.findall(r'<a href="(\?[^"]*)"', form)]
    assert links == [{"contact": [str(desk.contact.pk)], "type": [kind]} for kind in ("note", "call", "meeting")]


# ---------------------------------------------------------------- correcting


def test_edit_changes_the_entry(desk: Desk):
    made = desk.log(type="call", body="Old", duration_seconds=600)
    client, url = client_for(desk.rep), path(desk, f"activities/{made.pk}/edit/")
    form = part(client, url, target="dialog")
    assert 'value="10"' in form
    data = {"version": "1", "outcome": "busy", "direction": "outbound", "body": "New", "minutes": "", "subject": ""}
    response = sent(client, url, data, target="dialog")
    assert response.status_code == 204
    now = desk.fresh(made)
    assert (now.body, now.outcome, now.duration_seconds, now.occurred_at) == ("New", "busy", None, made.occurred_at)


def test_edit_keeps_seconds_that_the_form_does_not_show(desk: Desk):
    at = timezone.now() - dt.timedelta(hours=3, seconds=17)
    made = desk.log(type="call", duration_seconds=95, occurred_at=at)
    url = path(desk, f"activities/{made.pk}/edit/")
    shown = at.strftime("%Y-%m-%dT%H:%M")
    data = {"version": "1", "outcome": "busy", "direction": "", "minutes": "1", "occurred_at": shown}
    sent(client_for(desk.rep), url, data, target="dialog")
    now = desk.fresh(made)
    assert (now.outcome, now.occurred_at, now.duration_seconds) == ("busy", at, 95)


def test_edit_on_an_old_version_is_shown_in_the_form(desk: Desk):
    made = desk.log(body="Old")
    client, url = client_for(desk.rep), path(desk, f"activities/{made.pk}/edit/")
    sent(client, url, {"version": "1", "body": "Mine"}, target="dialog")
    response = sent(client, url, {"version": "1", "body": "Stale"}, target="dialog")
    assert response.status_code == 422
    assert "Somebody else changed this entry" in response.content.decode()
    assert desk.fresh(made).body == "Mine"


@pytest.mark.parametrize("what", ["edit", "deletion"])
@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_correcting_what_is_not_ones_own_is_absent(desk: Desk, what: str, who: str):
    made = desk.log()
    desk.share(desk.stranger, "write")
    client, url = client_for(getattr(desk, who)), path(desk, f"activities/{made.pk}/{what}/")
    assert sent(client, url, {"version": "1", "body": "Mine now"}).status_code == 404
    assert (desk.fresh(made).body, desk.fresh(made).deleted_at) == (made.body, None)


def test_delete_offers_to_undo(desk: Desk):
    made = desk.log(body="Gone?")
    client = client_for(desk.rep)
    response = sent(client, path(desk, f"activities/{made.pk}/deletion/"), {})
    undo = path(desk, f"activities/{made.pk}/restoration/")
    assert undo in response["HX-Trigger"]
    assert texts(part(client, timeline(desk))) == []
    assert "recordChanged" in sent(client, undo, {})["HX-Trigger"]
    assert texts(part(client, timeline(desk))) == ["Gone?"]


def test_deletion_and_restoration_are_posted(desk: Desk):
    made = desk.log()
    client = client_for(desk.rep)
    for what in ("deletion", "restoration"):
        assert client.get(path(desk, f"activities/{made.pk}/{what}/")).status_code == 405
    assert desk.fresh(made).deleted_at is None
