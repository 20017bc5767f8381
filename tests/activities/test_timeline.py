"""The timeline of a record: activities and field changes, merged, paged, searched, cut to what the reader may see."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from activities import queries, timelines
from activities.actions.log import delete_activity
from activities.models import Activity
from activities.timelines import Entry, Request, Timeline
from contacts.models import Account, AccountContact, Contact, ContactEmail, ContactShare
from crm.actions.sharing import share_record, unshare_record
from crm.enums import Role
from crm.lib.errors import Invalid
from crm.models import Membership, Tag
from crm.records import schema
from crm.records import timeline as port
from crm.records.history import Change, redact
from crm.records.registry import registry
from deals.models import Deal, DealContact
from tests.activities.conftest import Desk


def read(desk: Desk, record: object, *, by: Membership | None = None, **wanted: object) -> Timeline:
    kind = type(record)._meta.model_name
    with desk.org.acting(by or desk.rep) as actor:
        return timelines.timeline(kind, record, actor, Request(**wanted))


def kinds(found: Timeline) -> list[str]:
    return [entry.kind for entry in found.entries]


def change(desk: Desk, record: object, *, by: Membership | None = None, **values: object) -> None:
    """Changes a record in a transaction of its own, as an action does."""
    with desk.org.acting(by or desk.rep):
        type(record).everything.filter(pk=record.pk).update(**values)


def told(entry: Entry) -> list[tuple[str, str, str]]:
    return [(c.label, c.old, c.new) for c in entry.changes]


# ---------------------------------------------------------------- merging


def test_timeline_merges_activities_and_changes_newest_first(real_desk: Desk):
    desk = real_desk
    desk.log(body="First")
    change(desk, desk.contact, title="VP Operations")
    desk.log(type="call", outcome="busy")
    found = read(desk, desk.contact)
    assert kinds(found) == ["call", "changed", "note", "created"]
    assert told(found.entries[1]) == [("Job title", "", "VP Operations")]
    assert [e.who for e in found.entries] == ["Maya Okafor"] * 3 + [""]


def test_timeline_of_one_transaction_is_one_entry(real_desk: Desk):
    desk = real_desk
    with desk.org.acting(desk.boss):
        Contact.objects.filter(pk=desk.contact.pk).update(title="CFO", city="Rotterdam")
        ContactEmail.objects.create(contact=desk.contact, address="cfo@halden.example")
        Contact.objects.filter(pk=desk.contact.pk).update(department="Finance")
    entry = read(desk, desk.contact, tab="changes").entries[0]
    assert (entry.who, entry.via) == ("Lena Aalto", "")
    assert told(entry) == [
        ("Job title", "", "CFO"),
        ("City", "", "Rotterdam"),
        ("Department", "", "Finance"),
        ("Email", "", "cfo@halden.example"),
    ]


def test_timeline_folds_a_field_written_twice_in_one_transaction(real_desk: Desk):
    desk = real_desk
    with desk.org.acting(desk.rep):
        Contact.objects.filter(pk=desk.contact.pk).update(title="CFO", city="Ghent")
        Contact.objects.filter(pk=desk.contact.pk).update(title="CEO", city="")
    assert told(read(desk, desk.contact).entries[0]) == [("Job title", "", "CEO")]


def test_timeline_of_an_account_has_the_activities_of_its_people_and_deals(desk: Desk):
    desk.log()
    desk.log(type="meeting", subject="Kick-off", deal_id=desk.deal.pk)
    desk.log(account_id=desk.account.pk, body="About them all")
    entries = read(desk, desk.account).entries
    about = [(e.kind, {kind: ref.name for kind, ref in e.about.items()}) for e in entries if e.kind != "created"]
    assert about == [
        ("note", {}),
        ("meeting", {"deal": "Yard crane retrofit"}),
        ("note", {"contact": "Ines Marchetti"}),
    ]


def test_timeline_of_a_contact_has_the_steps_of_their_deals_once(desk: Desk):
    with desk.org.acting(desk.rep) as acting:
        DealContact.objects.create(deal=desk.deal, contact=desk.contact)
        step = {"from": "Lead", "to": "Proposal"}
        port.write([port.Entry(kind="stage_change", data=step, deal_id=desk.deal.pk)], acting=acting)
        both = {"deal_id": desk.deal.pk, "contact_id": desk.contact.pk}
        port.write([port.Entry(kind="stage_change", data=step, **both)], acting=acting)
    desk.log(deal_id=desk.deal.pk, body="A note of the deal alone")
    entries = [e for e in read(desk, desk.contact).entries if e.kind != "created"]
    assert [(e.kind, e.about["deal"].name) for e in entries] == [("stage_change", "Yard crane retrofit")] * 2
    assert kinds(read(desk, desk.contact, tab="notes")) == []


def test_timeline_without_the_bin(desk: Desk):
    made = desk.log()
    with desk.org.acting(desk.rep) as acting:
        delete_activity(made.pk, acting=acting)
    assert kinds(read(desk, desk.contact, tab="notes")) == []


def test_timeline_says_a_step_once(real_desk: Desk):
    desk = real_desk
    with desk.org.acting(desk.rep) as acting:
        Deal.objects.filter(pk=desk.deal.pk).update(
            stage=desk.stages["Proposal"], probability=40, forecast_category="best_case", next_step="Call them"
        )
        port.write([port.Entry(kind="stage_change", data={"to": "Proposal"}, deal_id=desk.deal.pk)], acting=acting)
    entries = read(desk, desk.deal).entries
    assert [e.kind for e in entries] == ["stage_change", "changed", "created"]
    assert told(entries[1]) == [("Next step", "", "Call them")]


def test_timeline_marks_what_is_planned(desk: Desk):
    desk.log(type="meeting", subject="Demo", occurred_at=timezone.now() + dt.timedelta(days=2))
    desk.log()
    assert [(e.kind, e.planned) for e in read(desk, desk.contact).entries[:2]] == [("meeting", True), ("note", False)]


# ---------------------------------------------------------------- creation, deletion


def created(desk: Desk, record: object, at: dt.datetime) -> None:
    kind = type(record)._meta.model_name
    about = {f"{kind}_id": record.pk}
    if kind != "account":
        about["account_id"] = desk.account.pk
    with desk.org.acting(desk.rep) as acting:
        port.write([port.Entry(kind="system", data={"event": "created"}, occurred_at=at, **about)], acting=acting)


@pytest.mark.parametrize("what", ["contact", "account", "deal"])
def test_timeline_says_a_creation_once_when_an_activity_tells_it(desk: Desk, what: str):
    record = getattr(desk, what)
    created(desk, record, timezone.now() - dt.timedelta(days=200))
    assert kinds(read(desk, record)) == ["system"]


def test_timeline_says_a_creation_once_across_pages(desk: Desk):
    """The log dates the row today, the activity dates the record as it was in the other system."""
    for number in range(3):
        desk.log(body=str(number), occurred_at=timezone.now() - dt.timedelta(days=number + 1))
    created(desk, desk.contact, timezone.now() - dt.timedelta(days=200))
    first = read(desk, desk.contact, size=2)
    rest = read(desk, desk.contact, size=5, cursor=first.older)
    assert kinds(first) + kinds(rest) == ["note", "note", "note", "system"]


def test_timeline_of_an_account_takes_no_contacts_creation_for_its_own(desk: Desk):
    created(desk, desk.contact, timezone.now() - dt.timedelta(days=10))
    found = read(desk, desk.account)
    assert kinds(found) == ["created", "system"]
    assert found.entries[1].about["contact"].name == "Ines Marchetti"


def test_timeline_says_deleted_and_restored(real_desk: Desk):
    desk = real_desk
    change(desk, desk.contact, deleted_at=timezone.now())
    change(desk, desk.contact, deleted_at=None)
    assert kinds(read(desk, desk.contact)) == ["restored", "deleted", "created"]


# ---------------------------------------------------------------- paging


def test_timeline_pages_have_every_entry_once_in_order(real_desk: Desk):
    desk = real_desk
    same = timezone.now() - dt.timedelta(hours=5)
    for number in range(5):
        desk.log(body=f"At once {number}", occurred_at=same)
    for number in range(4):
        change(desk, desk.contact, title=f"Title {number}")
        desk.log(body=f"Now {number}")
    whole = read(desk, desk.contact, size=100)
    assert len(whole.entries) == 14
    assert whole.older == ""
    assert [e.at for e in whole.entries] == sorted((e.at for e in whole.entries), reverse=True)
    for size in (1, 2, 3, 5, 13):
        seen, cursor = [], ""
        while True:
            page = read(desk, desk.contact, size=size, cursor=cursor)
            seen += [e.id for e in page.entries]
            cursor = page.older
            if not cursor:
                break
        assert seen == [e.id for e in whole.entries], size


@pytest.mark.parametrize("cursor", ["x", "W10", "bm90IGpzb24", "WyJuZXh0IixbImEiLCJiIl0sIjEiXQ"])
def test_timeline_with_a_damaged_cursor_is_refused(desk: Desk, cursor: str):
    with pytest.raises(Invalid):
        read(desk, desk.contact, cursor=cursor)


def test_timeline_with_an_unknown_tab_is_refused(desk: Desk):
    with pytest.raises(Invalid):
        read(desk, desk.contact, tab="secrets")


# ---------------------------------------------------------------- days


def test_timeline_days_are_the_readers(desk: Desk):
    """23:30 in Berlin is the next day in Tokyo and the same afternoon in New York."""
    desk.log(occurred_at=dt.datetime(2026, 3, 14, 22, 30, tzinfo=dt.UTC))
    desk.log(occurred_at=dt.datetime(2026, 3, 15, 3, 30, tzinfo=dt.UTC))
    days = {}
    for zone in ("Europe/Berlin", "Asia/Tokyo", "America/New_York"):
        with timezone.override(ZoneInfo(zone)):
            days[zone] = [(d.day.isoformat(), len(d.entries)) for d in read(desk, desk.contact, tab="notes").days]
    assert days == {
        "Europe/Berlin": [("2026-03-15", 1), ("2026-03-14", 1)],
        "Asia/Tokyo": [("2026-03-15", 2)],
        "America/New_York": [("2026-03-14", 2)],
    }


def test_timeline_days_at_the_change_to_summer_time(desk: Desk):
    """The night of 29 March 2026 in Berlin has no 02:30; both sides belong to that day."""
    for hour in (0, 1, 22):
        desk.log(occurred_at=dt.datetime(2026, 3, 29, hour, 30, tzinfo=dt.UTC))
    with timezone.override(ZoneInfo("Europe/Berlin")):
        days = [(d.day.isoformat(), len(d.entries)) for d in read(desk, desk.contact, tab="notes").days]
    assert days == [("2026-03-30", 1), ("2026-03-29", 2)]


# ---------------------------------------------------------------- tabs and search


def test_timeline_tabs(real_desk: Desk):
    desk = real_desk
    desk.log()
    desk.log(type="call")
    desk.log(type="meeting", subject="Kick-off")
    change(desk, desk.contact, title="CFO")
    assert {tab: kinds(read(desk, desk.contact, tab=tab)) for tab in timelines.TABS} == {
        "": ["changed", "meeting", "call", "note", "created"],
        "calls": ["call"],
        "meetings": ["meeting"],
        "notes": ["note"],
        "changes": ["changed", "created"],
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("LEASE", ["One"]),
        ("cafe", ["Two"]),
        ("Café", ["Two"]),
        ("pieter", ["Three"]),
        ("100%", ["Two"]),
        ("_", []),
        ("voicemail", ["Three"]),
        ("meeting", ["Four"]),
        ("nothing like it", []),
    ],
)
def test_timeline_search_in_activities(desk: Desk, text: str, found: list[str]):
    desk.log(subject="One", body="They want the lease option")
    desk.log(subject="Two", body="Met at the café, 100% sure")
    desk.log(subject="Three", type="call", outcome="voicemail", body="PIETER (IT) joins")
    desk.log(subject="Four", type="meeting")
    assert [e.subject for e in read(desk, desk.contact, search=text).entries] == found[::-1]


def test_timeline_search_in_changes(real_desk: Desk):
    desk = real_desk
    change(desk, desk.contact, title="Einkäuferin")
    change(desk, desk.contact, lifecycle="opportunity")
    change(desk, desk.contact, city="Ghent")
    assert [told(e) for e in read(desk, desk.contact, search="opportun").entries] == [
        [("Lifecycle", "Lead", "Opportunity")]
    ]
    assert [told(e) for e in read(desk, desk.contact, search="einkauferin").entries] == [
        [("Job title", "", "Einkäuferin")]
    ]
    assert [told(e) for e in read(desk, desk.contact, search="city").entries] == [[("City", "", "Ghent")]]


def test_timeline_search_stays_within_the_record(desk: Desk):
    desk.log(account_id=desk.account.pk, body="lease")
    assert kinds(read(desk, desk.contact, search="lease")) == []


# ---------------------------------------------------------------- who sees what


def test_timeline_may_change_is_told_per_entry(desk: Desk):
    desk.log(by=desk.boss, body="Boss")
    desk.log(body="Rep")
    with desk.org.acting(desk.rep) as acting:
        port.write([port.Entry(kind="system", data={"event": "merged"}, contact_id=desk.contact.pk)], acting=acting)
    for who, expected in (
        (desk.rep, {"Boss": False, "Rep": True}),
        (desk.boss, {"Boss": True, "Rep": True}),
        (desk.admin, {"Boss": True, "Rep": True}),
        (desk.reader, {"Boss": False, "Rep": False}),
    ):
        entries = read(desk, desk.contact, by=who).entries
        assert {e.body: e.may_change for e in entries if e.kind == "note"} == expected
        assert [e.may_change for e in entries if e.kind == "system"] == [False]


def test_timeline_names_no_record_that_the_reader_does_not_see(desk: Desk):
    """A call about a deal belongs to the deal: it is seen with that, and does not name a contact that isn't."""
    desk.log(type="call", deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    desk.share(desk.stranger)
    assert [e for e in read(desk, desk.contact, by=desk.stranger).entries if e.kind == "call"] == []
    with desk.org.acting(desk.rep) as rep:
        share_record("deal", desk.deal.pk, member=desk.stranger.pk, acting=rep)
        [share] = desk.contact.shares.all()
        unshare_record("contact", desk.contact.pk, share.pk, acting=rep)
    [entry] = [e for e in read(desk, desk.deal, by=desk.stranger).entries if e.kind == "call"]
    assert entry.about == {}
    with desk.org.acting(desk.stranger):
        assert list(Contact.objects.all()) == []


def test_timeline_under_row_level_security_is_empty_for_a_stranger(desk: Desk):
    """The page asks access first; this is the fence behind it."""
    desk.log()
    assert kinds(read(desk, desk.contact, by=desk.stranger, tab="notes")) == []


# ---------------------------------------------------------------- redaction


def test_redact_words_every_kind_of_value(desk: Desk):
    with desk.org.system():
        tag = Tag.objects.create(name="Champion")
        other = Account.objects.create(name="Telgrove Beverages", owner=desk.rep)
    diff = {
        "first_name": ["Ines", "Inês"],
        "lifecycle": ["lead", "sql"],
        "owner_id": [str(desk.rep.pk), str(desk.boss.pk)],
        "account_id": [str(desk.account.pk), str(other.pk)],
        "tags": [[], [str(tag.pk)]],
        "do_not_call": [False, True],
        "score": [10, 1200],
    }
    with desk.org.acting(desk.rep) as actor:
        found = {c.key: (c.label, c.old, c.new) for c in redact(actor, registry.get("contact"), diff)}
    assert found == {
        "first_name": ("First name", "Ines", "Inês"),
        "lifecycle": ("Lifecycle", "Lead", "Sales qualified lead"),
        "owner": ("Owner", "Maya Okafor", "Lena Aalto"),
        "account": ("Account", "Halden Logistics", "Telgrove Beverages"),
        "tags": ("Tags", "", "Champion"),
        "do_not_call": ("Do not call", "No", "Yes"),
        "score": ("Score", "10", "1,200"),
    }


def test_redact_money_and_dates_of_a_deal(desk: Desk):
    diff = {
        "amount": [13_200_000, 14_800_050],
        "close_date": ["2026-12-17", None],
        "probability": [25, 40],
        "stage_id": [str(desk.stages["Lead"].pk), str(desk.stages["Proposal"].pk)],
        "weighted": [1, 2],
        "custom": [{}, {"x": 1}],
    }
    with desk.org.acting(desk.rep) as actor:
        found = [(c.label, c.old, c.new) for c in redact(actor, registry.get("deal"), diff, record=desk.deal)]
    assert found == [
        ("Stage", "Lead", "Proposal"),
        ("Amount", "€132,000", "€148,000.50"),
        ("Close date", "17 Dec 2026", ""),
        ("Probability", "25 %", "40 %"),
    ]


def test_redact_money_follows_a_change_of_currency(desk: Desk):
    diff = {"amount": [100_00, 90_00], "currency": ["EUR", "USD"]}
    with desk.org.acting(desk.rep) as actor:
        found = [(c.key, c.old, c.new) for c in redact(actor, registry.get("deal"), diff, record=desk.deal)]
    assert ("amount", "€100", "US$90") in found or ("amount", "€100", "$90") in found


def test_redact_names_are_read_in_one_statement(desk: Desk, django_assert_num_queries):
    diff = {
        "owner_id": [str(desk.rep.pk), str(desk.boss.pk)],
        "account_id": [None, str(desk.account.pk)],
        "stage_id": [str(desk.stages["Lead"].pk), str(desk.stages["Won"].pk)],
    }
    with desk.org.acting(desk.rep) as actor, django_assert_num_queries(1):
        redact(actor, registry.get("deal"), diff)


def test_redact_hides_a_record_that_the_reader_does_not_see(desk: Desk):
    with desk.org.system():
        hidden = Account.objects.create(name="Secret GmbH", owner=desk.stranger)
    diff = {"account_id": [None, str(hidden.pk)]}
    with desk.org.acting(desk.rep) as actor:
        assert redact(actor, registry.get("contact"), diff) == [
            Change("account", "Account", "", "(not visible to you)")
        ]


def test_redact_cuts_secret_fields_and_fields_of_other_roles(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    contact = registry.get("contact")
    fields = tuple(
        replace(f, secret=True)
        if f.key == "phone"
        else replace(f, visible_to=frozenset({Role.ADMIN}))
        if f.key in ("score", "email")
        else f
        for f in contact.fields
    )
    cut = replace(contact, fields=fields)
    monkeypatch.setitem(registry._types, "contact", cut)
    diff = {"phone": ["1", "2"], "score": [1, 2], "title": ["a", "b"], "email": ["a@x", "b@x"]}
    seen = {}
    for who in (desk.rep, desk.admin):
        with desk.org.acting(who) as actor:
            seen[actor.role] = [c.key for c in redact(actor, cut, diff)]
            ContactEmail.objects.create(contact=desk.contact, address=f"{actor.role}@halden.example")
    assert seen == {"rep": ["title"], "admin": ["title", "email", "score"]}


def test_timeline_shows_no_child_row_of_a_field_the_role_does_not_see(real_desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk, contact = real_desk, registry.get("contact")
    with desk.org.acting(desk.rep):
        ContactEmail.objects.create(contact=desk.contact, address="private@halden.example")
    hidden = tuple(replace(f, visible_to=frozenset({Role.ADMIN})) if f.key == "email" else f for f in contact.fields)
    monkeypatch.setitem(registry._types, "contact", replace(contact, fields=hidden))
    assert kinds(read(desk, desk.contact)) == ["created"]
    assert [told(e) for e in read(desk, desk.contact, by=desk.admin).entries] == [
        [("Email", "", "private@halden.example")],
        [],
    ]


# ---------------------------------------------------------------- child rows


def test_timeline_of_child_rows_added_changed_and_removed(real_desk: Desk):
    desk = real_desk
    with desk.org.acting(desk.rep):
        email = ContactEmail.objects.create(contact=desk.contact, address="a@halden.example")
    with desk.org.acting(desk.rep):
        ContactEmail.objects.filter(pk=email.pk).update(address="b@halden.example", position=3)
    with desk.org.acting(desk.rep):
        ContactEmail.objects.filter(pk=email.pk).update(position=4)
    with desk.org.acting(desk.rep):
        email.delete()
    assert [told(e) for e in read(desk, desk.contact).entries] == [
        [("Email", "b@halden.example", "")],
        [("Email", "a@halden.example", "b@halden.example")],
        [("Email", "", "a@halden.example")],
        [],
    ]


def test_timeline_does_not_repeat_the_primary_address(real_desk: Desk):
    desk = real_desk
    with desk.org.acting(desk.rep):
        ContactEmail.objects.create(contact=desk.contact, address="new@halden.example", is_primary=True)
        Contact.objects.filter(pk=desk.contact.pk).update(email="new@halden.example")
    assert told(read(desk, desk.contact).entries[0]) == [("Email", "ines@halden.example", "new@halden.example")]


def test_timeline_does_not_tell_rows_written_anew_as_they_were(real_desk: Desk):
    desk = real_desk
    with desk.org.acting(desk.rep):
        ContactEmail.objects.create(contact=desk.contact, address="a@halden.example")
    with desk.org.acting(desk.rep):
        ContactEmail.objects.all().delete()
        ContactEmail.objects.create(contact=desk.contact, address="a@halden.example")
        Contact.objects.filter(pk=desk.contact.pk).update(title="CFO")
    assert told(read(desk, desk.contact).entries[0]) == [("Job title", "", "CFO")]


def test_timeline_names_members_and_accounts_of_child_rows(real_desk: Desk):
    desk = real_desk
    with desk.org.acting(desk.rep):
        AccountContact.objects.create(account=desk.account, contact=desk.contact)
    desk.share(desk.stranger)
    with desk.org.system():
        ContactShare.objects.all().delete()
    assert [told(e) for e in read(desk, desk.contact).entries] == [
        [("Shared with", "Tom Becker", "")],
        [("Shared with", "", "Tom Becker")],
        [("Account", "", "Halden Logistics")],
        [],
    ]


# ---------------------------------------------------------------- cost


@pytest.mark.parametrize("what", ["contact", "account", "deal"])
def test_timeline_takes_at_most_four_statements(real_desk: Desk, django_assert_max_num_queries, what: str):
    desk, record = real_desk, getattr(real_desk, what)
    for number in range(30):
        desk.log(body=str(number), type="note", **{f"{what}_id": record.pk})
    change(desk, record, by=desk.admin, owner=desk.boss)
    change(desk, record, by=desk.admin, owner=desk.rep)
    created(desk, record, timezone.now())
    if what == "contact":
        with desk.org.acting(desk.rep):
            ContactEmail.objects.create(contact=desk.contact, address="a@halden.example")
    with desk.org.acting(desk.rep) as actor:
        schema.schema_of(actor)  # read once by a process
    with desk.org.acting(desk.rep) as actor, django_assert_max_num_queries(4):
        found = timelines.timeline(what, record, actor)
    assert len(found.entries) == 25
    with desk.org.acting(desk.rep) as actor, django_assert_max_num_queries(2):
        timelines.timeline(what, record, actor, Request(tab="notes"))


@pytest.mark.parametrize("what", ["contact", "account", "deal"])
def test_timeline_reads_an_index_in_order(desk: Desk, what: str):
    """One scan and no sorting, whatever the policy adds."""
    with desk.org.acting(desk.rep), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        rows = Activity.objects.filter(**{f"{what}_id": getattr(desk, what).pk}).order_by("-occurred_at", "-id")
        plan = rows.values(*queries.COLUMNS)[:25].explain()
    assert "Index Scan using activity_" in plan
    assert "Sort" not in plan
