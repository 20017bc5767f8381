"""Who is told what, and the inbox they read it in."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.urls import set_urlconf
from django.utils import timezone

from activities import receivers
from activities.models import Activity
from contacts.models import Account, Contact
from crm import queries
from crm.actions.notifications import mark_read, notify
from crm.events import Delivery
from crm.lib.errors import NotFound
from crm.models import Membership, Notification
from crm.records import notices
from deals.models import Deal
from tests.activities.conftest import Desk
from tests.support.web import client_for, unread_of


def delivery(
    desk: Desk, name: str, record: object, by: Membership | None, kind: str = "member", **payload: Any
) -> Delivery:
    who = {"member": str(by.pk) if by else None, "kind": kind, "change_set": None}
    return Delivery(7, desk.org.id, name, record.pk, {**{k: str(v) for k, v in payload.items()}, "by": who})


def told(desk: Desk, member: Membership) -> list[tuple[str, str]]:
    """What a member's inbox says, newest first: (sentence, address)."""
    set_urlconf(settings.ORG_URLCONF)
    try:
        with desk.org.system():
            rows = [notices.tell(row) for row in queries.inbox(member.pk).order_by("-id")]
    finally:
        set_urlconf(None)
    return [(re.sub(r"<[^>]+>", "", str(row.text)), row.url) for row in rows]


def stage_changed(desk: Desk, by: Membership | None, kind: str = "member", status: str = "open") -> Delivery:
    return delivery(
        desk,
        "deal.stage_changed",
        desk.deal,
        by,
        kind,
        owner=desk.rep.pk,
        stage=desk.stages["Proposal"].pk,
        status=status,
    )


# ---------------------------------------------------------------- receivers


@pytest.mark.parametrize("kind", ["contact", "account"])
def test_new_owner_is_told_by_whom(desk: Desk, kind: str):
    record = getattr(desk, kind)
    event = delivery(desk, f"{kind}.assigned", record, desk.boss, from_member=desk.stranger.pk, to_member=desk.rep.pk)
    with desk.org.system():
        receivers.tell_new_owner(event)
        receivers.tell_new_owner(event)
    [(text, url)] = told(desk, desk.rep)
    assert text == f"Lena Aalto gave you {record}"
    assert str(record.pk) in url


def test_taking_a_record_oneself_tells_nobody(desk: Desk):
    event = delivery(desk, "contact.assigned", desk.contact, desk.rep, from_member=desk.boss.pk, to_member=desk.rep.pk)
    with desk.org.system():
        receivers.tell_new_owner(event)
    assert told(desk, desk.rep) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("open", "Lena Aalto moved your deal Yard crane retrofit to Proposal"),
        ("won", "Lena Aalto won your deal Yard crane retrofit"),
        ("lost", "Lena Aalto lost your deal Yard crane retrofit"),
    ],
)
def test_owner_is_told_that_somebody_moved_their_deal(desk: Desk, status: str, sentence: str):
    with desk.org.system():
        receivers.tell_owner_of_step(stage_changed(desk, desk.boss, status=status))
        receivers.tell_owner_of_step(stage_changed(desk, desk.boss, status=status))
    assert [text for text, _url in told(desk, desk.rep)] == [sentence]


@pytest.mark.parametrize(("who", "kind"), [("rep", "member"), (None, "system"), ("boss", "import")])
def test_owner_is_not_told_of_own_moves_and_imports(desk: Desk, who: str | None, kind: str):
    with desk.org.system():
        receivers.tell_owner_of_step(stage_changed(desk, getattr(desk, who) if who else None, kind))
    assert told(desk, desk.rep) == []


def test_another_event_about_the_same_record_is_told_again(desk: Desk):
    with desk.org.system():
        receivers.tell_owner_of_step(stage_changed(desk, desk.boss))
        receivers.tell_owner_of_step(replace(stage_changed(desk, desk.boss), id=8))
    assert len(told(desk, desk.rep)) == 2


def test_activities_follow_their_contact_to_another_account(desk: Desk):
    on_contact = desk.log()
    with_deal = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    alone = desk.log(account_id=desk.account.pk)
    with desk.org.system():
        other = Account.objects.create(name="Telgrove", owner=desk.rep)
        Contact.objects.filter(pk=desk.contact.pk).update(account=other)
        event = delivery(desk, "contact.updated", desk.contact, desk.rep)
        receivers.follow_contact(replace(event, payload={**event.payload, "fields": ["title"]}))
        assert set(Activity.objects.values_list("account_id", flat=True)) == {desk.account.pk}
        receivers.follow_contact(replace(event, payload={**event.payload, "fields": ["account_id"]}))
    accounts = [desk.fresh(a).account_id for a in (on_contact, with_deal, alone)]
    assert accounts == [other.pk, desk.account.pk, desk.account.pk]


def test_activities_follow_their_deal_and_fall_back_to_the_contact(desk: Desk):
    with_contact = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    on_deal = desk.log(deal_id=desk.deal.pk)
    with desk.org.system():
        other = Account.objects.create(name="Telgrove", owner=desk.rep)
        event = delivery(desk, "deal.updated", desk.deal, desk.rep)
        event = replace(event, payload={**event.payload, "fields": ["account_id"]})
        found = []
        for account in (other, None):
            Deal.objects.filter(pk=desk.deal.pk).update(account=account)
            receivers.follow_deal(event)
            found.append([Activity.objects.get(pk=a.pk).account_id for a in (with_contact, on_deal)])
    assert found == [[other.pk, other.pk], [desk.account.pk, None]]


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("record.shared", {"by": "Lena", "name": "Ines"}, "Lena shared Ines with you"),
        (
            "record.shared",
            {"by": "Lena", "name": "Ines", "team": "Nordics"},
            "Lena shared Ines with your team Nordics",
        ),
        ("deal.assigned", {"by": "Lena", "name": "Crane"}, "Lena gave you Crane"),
        ("member.role_changed", {"by": "Lena", "role": "manager"}, "Lena gave you the role Manager"),
        ("member.joined", {"name": "Tom"}, "Tom joined the organisation"),
        ("member.records_received", {"by": "Lena", "name": "Tom", "count": 12}, "Lena handed you 12 records of Tom"),
        ("member.records_received", {"by": "Lena", "name": "Tom", "count": 1}, "Lena handed you a record of Tom"),
        ("of.another.version", {"name": "Ines"}, "News about Ines"),
    ],
)
def test_sentences(desk: Desk, kind: str, data: dict[str, Any], sentence: str):
    with desk.org.system():
        notify(desk.rep.pk, kind, **data)
    assert [text for text, _url in told(desk, desk.rep)] == [sentence]


def test_sentences_escape_names(desk: Desk):
    with desk.org.system():
        made = Notification(kind="record.shared", data={"by": "<b>x</b>", "name": "{0.__class__}"})
        assert str(notices.tell(made).text) == (
            "<strong>&lt;b&gt;x&lt;/b&gt;</strong> shared <strong>{0.__class__}</strong> with you"
        )


# ---------------------------------------------------------------- the inbox


@pytest.fixture
def inbox(desk: Desk) -> Desk:
    """Three notifications of the rep, the oldest read, and one of the manager."""
    with desk.org.system():
        for number in range(3):
            notify(
                desk.rep.pk, "record.shared", record_type="contact", record=desk.contact.pk, name=f"N{number}", by="B"
            )
        oldest = Notification.objects.order_by("id").first()
        Notification.objects.filter(pk=oldest.pk).update(read_at=timezone.now())
        notify(desk.boss.pk, "record.shared", record_type="contact", record=desk.contact.pk, name="Boss's", by="B")
    return desk


def listed(page: str) -> list[str]:
    return re.findall(r"shared <strong>(.*?)</strong>", page)


def unread(desk: Desk, member: Membership) -> int:
    return unread_of(desk.org.slug, member)


@pytest.mark.parametrize(("query", "names"), [("", ["N2", "N1", "N0"]), ("?show=unread", ["N2", "N1"])])
def test_inbox_lists_ones_own_newest_first(inbox: Desk, query: str, names: list[str]):
    url = f"/w/{inbox.org.slug}/notifications/{query}"
    client = client_for(inbox.rep)
    assert listed(client.get(url).content.decode()) == names
    assert listed(client.get(url, headers={"HX-Request": "true", "HX-Target": "inbox"}).content.decode()) == names


def test_inbox_pages(desk: Desk):
    with desk.org.system():
        for number in range(35):
            notify(desk.rep.pk, "record.shared", name=f"N{number}", by="B")
    client, url = client_for(desk.rep), f"/w/{desk.org.slug}/notifications/"
    first = client.get(url).content.decode()
    [older] = re.findall(r'href="(\?after=[^"]*)" rel="next"', first)
    second = client.get(url + older).content.decode()
    assert listed(first) + listed(second) == [f"N{n}" for n in reversed(range(35))]


def test_panel_under_the_bell(inbox: Desk):
    url, headers = f"/w/{inbox.org.slug}/notifications/", {"HX-Request": "true", "HX-Target": "notes"}
    page = client_for(inbox.rep).get(url, headers=headers).content.decode()
    assert listed(page) == ["N2", "N1", "N0"]
    assert "<html" not in page
    assert page.count("data-new") == 2


def test_bell_counts_what_waits(inbox: Desk):
    client, url = client_for(inbox.rep), f"/w/{inbox.org.slug}/notifications/"
    assert "Notifications, 2 unread</span>" in client.get(url).content.decode()
    bell = client.get(url, headers={"HX-Request": "true", "HX-Target": "bell"}).content.decode()
    assert bell.strip().startswith("<svg")
    assert 'class="nub"' in bell
    assert 'id="notes"' not in bell


def test_unread_count_stops_at_a_hundred(desk: Desk):
    with desk.org.system():
        Notification.objects.bulk_create(Notification(member=desk.rep, kind="x") for _ in range(130))
    assert unread(desk, desk.rep) == 100


def test_opening_marks_it_read_and_leads_to_the_record(inbox: Desk):
    with inbox.org.system():
        newest = queries.inbox(inbox.rep.pk).order_by("-id").first()
    response = client_for(inbox.rep).get(f"/w/{inbox.org.slug}/notifications/{newest.pk}/")
    assert response.status_code == 302
    assert response["Location"] == f"/w/{inbox.org.slug}/contacts/{inbox.contact.pk}/"
    assert inbox.fresh(newest).read_at is not None
    assert unread(inbox, inbox.rep) == 1


def test_opening_one_without_a_record_leads_to_the_inbox(desk: Desk):
    with desk.org.system():
        made = notify(desk.rep.pk, "member.joined", name="Tom")
    response = client_for(desk.rep).get(f"/w/{desk.org.slug}/notifications/{made.pk}/")
    assert response["Location"] == f"/w/{desk.org.slug}/notifications/"


def test_opening_somebody_elses_is_absent_and_leaves_it_unread(inbox: Desk):
    with inbox.org.system():
        theirs = queries.inbox(inbox.boss.pk).get()
    client = client_for(inbox.rep)
    for pk in (theirs.pk, uuid4()):
        assert client.get(f"/w/{inbox.org.slug}/notifications/{pk}/").status_code == 404
    assert inbox.fresh(theirs).read_at is None
    with inbox.org.acting(inbox.rep) as acting, pytest.raises(NotFound):
        mark_read(theirs.pk, acting=acting)


@pytest.mark.parametrize("target", ["inbox", "notes", ""])
def test_mark_all_read_reads_ones_own_only(inbox: Desk, target: str):
    headers = {"HX-Request": "true", "HX-Target": target} if target else {}
    response = client_for(inbox.rep).post(f"/w/{inbox.org.slug}/notifications/read/", headers=headers)
    assert response.status_code == (200 if target else 302)
    assert (unread(inbox, inbox.rep), unread(inbox, inbox.boss)) == (0, 1)
    if target:
        page = response.content.decode()
        assert "data-new" not in page
        assert '<div id="bell" hx-swap-oob="innerHTML">' in page
        assert "Notifications</span>" in page
        assert 'class="nub"' not in page


def test_readers_read_their_inbox_too(desk: Desk):
    with desk.org.system():
        made = notify(desk.reader.pk, "member.role_changed", role="readonly", by="Lena")
    client = client_for(desk.reader)
    assert client.get(f"/w/{desk.org.slug}/notifications/{made.pk}/").status_code == 302
    assert desk.fresh(made).read_at is not None


def test_inbox_empty_says_what_will_come(desk: Desk):
    client = client_for(desk.rep)
    assert "Your inbox is empty" in client.get(f"/w/{desk.org.slug}/notifications/").content.decode()
    assert "Nothing waits for you" in client.get(f"/w/{desk.org.slug}/notifications/?show=unread").content.decode()
