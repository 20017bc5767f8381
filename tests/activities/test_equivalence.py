"""Hand-written SQL answers what the plain way answers."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from django.db.models import Q
from django.utils import timezone

from activities import queries
from activities.actions.log import NewActivity, delete_activity, log_activities
from activities.enums import ActivityType, CallOutcome
from activities.models import Activity
from activities.timelines import normal
from contacts.models import Account, Contact, ContactEmail
from crm.models import AuditEntry, Membership, Tag
from crm.records import timeline
from crm.records.history import history_groups
from crm.records.names import Names
from crm.records.queries import Sieve
from crm.records.registry import registry
from deals.models import Deal, DealContact
from tests.activities.conftest import Desk


@pytest.fixture
def full_desk(desk: Desk) -> Desk:
    """Forty activities of all types on all records, several at one moment, one in the bin."""
    moments = [timezone.now() - dt.timedelta(hours=n // 3) for n in range(36)]
    about = itertools.cycle(
        [
            {"contact_id": desk.contact.pk},
            {"deal_id": desk.deal.pk},
            {"deal_id": desk.deal.pk, "contact_id": desk.contact.pk},
            {"account_id": desk.account.pk},
        ]
    )
    what = itertools.cycle(
        [
            {"type": "note", "body": "Ümlaut and LEASE"},
            {"type": "call", "outcome": "busy"},
            {"type": "meeting", "subject": "Lease talk"},
            {"type": "call", "outcome": "voicemail", "body": "nothing"},
            {"type": "note", "body": "other"},
        ]
    )
    with desk.org.acting(desk.rep) as acting:
        rows = [NewActivity(occurred_at=at, **next(about), **next(what)) for at in moments]
        made = log_activities(rows, acting=acting)
        delete_activity(made[4].pk, acting=acting)
        DealContact.objects.create(deal=desk.deal, contact=desk.contact)
        step = {"from": "Lead", "to": "Won"}
        timeline.write([timeline.Entry(kind="stage_change", data=step, deal_id=desk.deal.pk)] * 3, acting=acting)
    return desk


def plainly(
    desk: Desk, kind: str, types: tuple[str, ...], text: str, before: queries.Before | None
) -> list[dict[str, object]]:
    """The timeline's rows, filtered and sorted in Python."""
    record = getattr(desk, kind)
    about = Q(**{f"{kind}_id": record.pk})
    if kind == "contact":
        deals = list(DealContact.objects.filter(contact_id=record.pk).values_list("deal_id", flat=True))
        about |= Q(deal_id__in=deals, type__in=["stage_change", "system"])
    rows = list(Activity.objects.filter(about).values(*queries.COLUMNS))
    labels = dict(ActivityType.choices) | dict(CallOutcome.choices)

    def says(row: dict[str, object]) -> bool:
        names = [str(labels.get(row[column], "")) for column in ("type", "outcome")]
        own = normal(f"{row['subject']} {row['body']}")
        return normal(text) in own or any(normal(text) in normal(name) for name in names)

    def comes_after(row: dict[str, object]) -> bool:
        if before is None:
            return True
        at, source, pk = before
        return (row["occurred_at"], row["id"]) < (at, pk) if source == "activity" else row["occurred_at"] < at

    kept = [r for r in rows if (not types or r["type"] in types) and says(r) and comes_after(r)]
    return sorted(kept, key=lambda r: (r["occurred_at"], r["id"]), reverse=True)


@pytest.mark.parametrize("kind", ["contact", "account", "deal"])
@pytest.mark.parametrize("types", [(), ("call",), ("stage_change", "system"), ("note", "stage_change")])
@pytest.mark.parametrize("text", ["", "lease", "umlaut", "busy", "step", "nowhere"])
def test_timeline_rows_are_the_plain_ones(full_desk: Desk, kind: str, types: tuple[str, ...], text: str):
    desk, pk = full_desk, getattr(full_desk, kind).pk
    sought = None
    if text:
        plain = normal(text)
        sought = queries.Sought(
            text,
            [v for v, label in ActivityType.choices if plain in normal(str(label))],
            [v for v, label in CallOutcome.choices if plain in normal(str(label))],
        )
    with desk.org.acting(desk.rep):
        whole = plainly(desk, kind, types, text, None)
        assert queries.timeline_rows(kind, pk, types, search=sought, limit=100) == whole
        for row, source in itertools.product(whole[::5], ("activity", "change")):
            before = (row["occurred_at"], source, row["id"])
            expected = plainly(desk, kind, types, text, before)[:4]
            assert queries.timeline_rows(kind, pk, types, search=sought, before=before, limit=4) == expected


@pytest.mark.parametrize("kind", ["contact", "account", "deal"])
def test_tells_creation_of_the_record_itself_only(desk: Desk, kind: str):
    about = {"contact": {"contact_id": desk.contact.pk}, "account": {}, "deal": {"deal_id": desk.deal.pk}}
    created = {"event": "created"}
    with desk.org.acting(desk.rep) as acting:
        for other, links in about.items():
            assert queries.tells_creation(kind, getattr(desk, kind).pk) is False
            entry = timeline.Entry(kind="system", data=created, account_id=desk.account.pk, **links)
            timeline.write([entry], acting=acting)
            assert queries.tells_creation(kind, getattr(desk, kind).pk) is (other == kind)
            Activity.objects.all().delete()


def test_audit_groups_are_the_plain_ones(real_desk: Desk):
    desk, contact = real_desk, registry.get("contact")
    for number in range(3):
        with desk.org.acting(desk.boss):
            Contact.objects.filter(pk=desk.contact.pk).update(title=str(number))
            ContactEmail.objects.create(contact=desk.contact, address=f"{number}@halden.example")
        with desk.org.acting(desk.rep):
            Contact.objects.exclude(pk=desk.contact.pk).update(title="x")
            ContactEmail.objects.filter(contact=desk.contact).update(position=number + 1)
    emails = "contacts_contactemail"
    with desk.org.acting(desk.rep):
        mine = Q(table_name="contacts_contact", row_id=desk.contact.pk) | Q(parent_id=desk.contact.pk)
        entries = list(AuditEntry.objects.filter(mine).order_by("id"))
        by_moment = itertools.groupby(entries, key=lambda e: (e.at, e.actor_id))
        plain = []
        for (at, actor), group in by_moment:
            rows = list(group)
            changes = [(e.table_name, e.row_id, e.operation, e.diff or {}) for e in rows]
            plain.append((at, rows[0].id, actor, changes))
        plain.reverse()

        def read(**bounds: object) -> list[object]:
            groups = history_groups(contact, desk.contact.pk, **{"limit": 100, **bounds})
            return [(g.at, g.first, g.actor_id, [(r.table, r.id, r.operation, r.diff) for r in g.rows]) for g in groups]

        assert read() == plain
        assert {row[0] for group in plain for row in group[3]} == {"contacts_contact", emails}
        assert read(limit=2) == plain[:2]
        titles = [(at, first, actor, [c for c in rows if "title" in c[3]]) for at, first, actor, rows in plain]
        assert read(sieve=Sieve(columns=("title",))) == [group for group in titles if group[3]]
        sieved = [(at, first, actor, [c for c in rows if c[0] == emails]) for at, first, actor, rows in plain]
        by_boss = [group for group in sieved if group[3] and group[2] == desk.boss.pk]
        found = read(sieve=Sieve(tables=(emails,), actor=desk.boss.pk))
        assert [(at, actor, rows) for at, _first, actor, rows in found] == [(g[0], g[2], g[3]) for g in by_boss]
        for number, (at, first, *_rest) in enumerate(plain):
            assert read(before=(at, first)) == plain[number + 1 :]
            assert read(before=(at, None)) == plain[number:]


def test_names_are_what_the_pages_call_them(desk: Desk):
    with desk.org.system():
        nameless = Contact.objects.create(email="info@halden.example", owner=desk.rep)
        half = Contact.objects.create(last_name="Voss", owner=desk.rep)
        nobody = Contact.objects.create(owner=desk.rep)
        tag = Tag.objects.create(name="Champion")
        unnamed = desk.org.member("rep", email="pieter@example.org")
        type(unnamed.user).objects.filter(pk=unnamed.user_id).update(name="")
        hidden = Deal.objects.create(
            name="Hidden", pipeline=desk.deal.pipeline, stage=desk.deal.stage, owner=desk.stranger, currency="EUR",
            stage_entered_at=timezone.now(), touched_at=timezone.now(),
        )  # fmt: skip
    names = Names()
    rows = [desk.contact, nameless, half, desk.account, desk.deal, tag]
    with desk.org.acting(desk.rep):
        for row in [*rows, desk.boss, unnamed, nobody, hidden]:
            names.want(type(row), row.pk)
        names.want(Account, None)
        names.want(Account, "no id")
        names.load()
    assert [names.of(type(row), str(row.pk)) for row in rows] == [str(row) for row in rows]
    assert names.of(Membership, desk.boss.pk) == "Lena Aalto"
    assert names.of(Membership, unnamed.pk) == "pieter"
    assert (names.of(Contact, nobody.pk), names.of(Deal, hidden.pk), names.of(Account, "no id")) == ("", "", "")
