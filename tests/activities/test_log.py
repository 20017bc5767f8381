"""Logging notes, calls and meetings."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from activities.actions.log import (
    NewActivity,
    delete_activity,
    log_activities,
    log_activity,
    restore_activity,
    update_activity,
)
from activities.models import Activity
from contacts.models import Contact
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import OutboxEvent
from crm.records import timeline
from deals.models import Deal, StageChange
from tests.activities.conftest import Desk


def ago(**delta: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(**delta)


def events(desk: Desk, name: str) -> list[dict[str, object]]:
    with desk.org.system():
        return [e.payload for e in OutboxEvent.objects.filter(name=name).order_by("id")]


# ---------------------------------------------------------------- what is written


def test_log_note_on_a_contact_takes_its_account_and_the_actor(desk: Desk):
    made = desk.fresh(desk.log(body="  Port event on Friday.  "))
    assert (made.type, made.body, made.source) == ("note", "Port event on Friday.", "manual")
    assert (made.contact_id, made.account_id, made.deal_id) == (desk.contact.pk, desk.account.pk, None)
    assert made.owner_id == desk.rep.pk


def test_log_call_on_a_deal_takes_the_deals_account(desk: Desk):
    made = desk.log(type="call", deal_id=desk.deal.pk, direction="outbound", outcome="voicemail", duration_seconds=240)
    made = desk.fresh(made)
    assert (made.deal_id, made.account_id, made.contact_id) == (desk.deal.pk, desk.account.pk, None)
    assert (made.direction, made.outcome, made.duration_seconds) == ("outbound", "voicemail", 240)


def test_log_on_an_account_alone_needs_neither_contact_nor_deal(desk: Desk):
    made = desk.fresh(desk.log(account_id=desk.account.pk))
    assert (made.account_id, made.contact_id, made.deal_id) == (desk.account.pk, None, None)


def test_log_moves_the_clocks_and_no_version(desk: Desk):
    at = ago(hours=2)
    desk.log(type="meeting", subject="Kick-off", deal_id=desk.deal.pk, contact_id=desk.contact.pk, occurred_at=at)
    contact, deal = desk.fresh(desk.contact), desk.fresh(desk.deal)
    assert (contact.last_activity_at, deal.touched_at) == (at, at)
    assert (contact.version, deal.version) == (1, 1)
    assert (contact.updated_at, deal.updated_at) == (desk.contact.updated_at, desk.deal.updated_at)


def test_log_planned_meeting_moves_no_clock(desk: Desk):
    at = timezone.now() + dt.timedelta(days=3)
    desk.log(type="meeting", subject="Demo", deal_id=desk.deal.pk, contact_id=desk.contact.pk, occurred_at=at)
    assert desk.fresh(desk.contact).last_activity_at is None
    assert desk.fresh(desk.deal).touched_at == desk.deal.touched_at


def test_log_older_than_the_last_one_moves_no_clock(desk: Desk):
    newest = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk).occurred_at
    desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk, occurred_at=ago(days=5))
    assert desk.fresh(desk.contact).last_activity_at == newest
    assert desk.fresh(desk.deal).touched_at == newest


def test_log_tells_what_it_is_about(desk: Desk):
    made = desk.log(type="call", deal_id=desk.deal.pk)
    [payload] = events(desk, "activity.logged")
    assert (payload["type"], payload["deal"], payload["contact"]) == ("call", str(desk.deal.pk), None)
    assert payload["occurred_at"] == made.occurred_at.isoformat()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"type": "note", "body": "   "}, "body"),
        ({"type": "note", "body": "x", "outcome": "busy"}, "outcome"),
        ({"type": "note", "body": "x", "duration_seconds": 60}, "duration_seconds"),
        ({"type": "note", "body": "x" * 20_001}, "body"),
        ({"type": "call", "outcome": ""}, "outcome"),
        ({"type": "call", "outcome": "exploded"}, "outcome"),
        ({"type": "call", "outcome": "busy", "direction": "sideways"}, "direction"),
        ({"type": "call", "outcome": "busy", "duration_seconds": 0}, "duration_seconds"),
        ({"type": "call", "outcome": "busy", "duration_seconds": 24 * 3600 + 1}, "duration_seconds"),
        ({"type": "meeting"}, "subject"),
        ({"type": "meeting", "subject": "x" * 201}, "subject"),
        ({"type": "meeting", "subject": "x", "direction": "inbound"}, "direction"),
        ({"type": "stage_change", "body": "x"}, "type"),
        ({"type": "note", "body": "x", "occurred_at": dt.datetime(1802, 1, 1, tzinfo=dt.UTC)}, "occurred_at"),
    ],
)
def test_log_refuses_what_breaks_a_rule(desk: Desk, values: dict[str, object], field: str):
    with desk.org.acting(desk.rep) as acting, pytest.raises(Invalid) as caught:
        log_activity(NewActivity(contact_id=desk.contact.pk, **values), acting=acting)
    assert list(caught.value.fields) == [field]
    assert desk.count() == 0


def test_log_about_nothing_is_refused(desk: Desk):
    with desk.org.acting(desk.rep) as acting, pytest.raises(Invalid) as caught:
        log_activity(NewActivity(type="note", body="x"), acting=acting)
    assert list(caught.value.fields) == ["contact"]


def test_log_with_the_account_of_somebody_else_is_refused(desk: Desk):
    with desk.org.system():
        other = type(desk.account).objects.create(name="Telgrove", owner=desk.rep)
    with desk.org.acting(desk.rep) as acting, pytest.raises(Invalid):
        log_activity(NewActivity(type="note", body="x", contact_id=desk.contact.pk, account_id=other.pk), acting=acting)
    assert desk.count() == 0


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize("who", ["rep", "boss", "admin"])
@pytest.mark.parametrize("what", ["contact", "account", "deal"])
def test_log_by_whom_may_write_the_record(desk: Desk, who: str, what: str):
    made = desk.log(by=getattr(desk, who), **{f"{what}_id": getattr(desk, what).pk})
    assert desk.fresh(made).owner_id == getattr(desk, who).pk


@pytest.mark.parametrize("what", ["contact", "account", "deal"])
def test_log_on_a_record_out_of_reach_answers_not_found(desk: Desk, what: str):
    with pytest.raises(NotFound):
        desk.log(by=desk.stranger, **{f"{what}_id": getattr(desk, what).pk})
    assert desk.count() == 0
    assert desk.fresh(desk.contact).last_activity_at is None


@pytest.mark.parametrize("what", ["contact", "account", "deal"])
def test_log_by_a_reader_is_forbidden(desk: Desk, what: str):
    with pytest.raises(Forbidden):
        desk.log(by=desk.reader, **{f"{what}_id": getattr(desk, what).pk})
    assert desk.count() == 0


def test_log_on_a_contact_shared_to_read_answers_not_found(desk: Desk):
    desk.share(desk.stranger, "read")
    with pytest.raises(NotFound):
        desk.log(by=desk.stranger)
    assert desk.count() == 0


def test_log_on_a_contact_shared_to_write_is_logged(desk: Desk):
    desk.share(desk.stranger, "write")
    made = desk.log(by=desk.stranger)
    assert desk.fresh(desk.contact).last_activity_at == made.occurred_at


def test_log_on_own_deal_with_a_contact_one_only_sees_moves_that_contacts_clock(desk: Desk):
    desk.share(desk.stranger, "read")
    with desk.org.system():
        Deal.objects.filter(pk=desk.deal.pk).update(owner=desk.stranger)
    made = desk.log(by=desk.stranger, deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    assert desk.fresh(desk.contact).last_activity_at == made.occurred_at


def test_log_on_own_deal_with_a_contact_one_does_not_see_answers_not_found(desk: Desk):
    with desk.org.system():
        Deal.objects.filter(pk=desk.deal.pk).update(owner=desk.stranger)
    with pytest.raises(NotFound):
        desk.log(by=desk.stranger, deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    assert desk.count() == 0


def test_log_on_a_deleted_contact_answers_not_found(desk: Desk):
    with desk.org.system():
        Contact.objects.filter(pk=desk.contact.pk).update(deleted_at=timezone.now())
    with pytest.raises(NotFound):
        desk.log()


# ---------------------------------------------------------------- correcting


def test_update_own_activity_changes_it_and_tells(desk: Desk):
    made = desk.log(type="call", duration_seconds=60)
    with desk.org.acting(desk.rep) as acting:
        update_activity(made.pk, {"outcome": "busy", "duration_seconds": None}, acting=acting, version=1)
    now = desk.fresh(made)
    assert (now.outcome, now.duration_seconds, now.version) == ("busy", None, 2)
    assert len(events(desk, "activity.updated")) == 1


def test_update_without_a_change_writes_nothing(desk: Desk):
    made = desk.log(body="Same")
    with desk.org.acting(desk.rep) as acting:
        update_activity(made.pk, {"body": "Same "}, acting=acting)
    assert desk.fresh(made).version == 1
    assert events(desk, "activity.updated") == []


def test_update_to_an_earlier_moment_puts_the_clocks_back(desk: Desk):
    first = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk, occurred_at=ago(days=4))
    last = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    with desk.org.acting(desk.rep) as acting:
        update_activity(last.pk, {"occurred_at": ago(days=9)}, acting=acting)
    assert desk.fresh(desk.contact).last_activity_at == first.occurred_at
    assert desk.fresh(desk.deal).touched_at == first.occurred_at


def test_update_on_an_old_version_is_a_conflict(desk: Desk):
    made = desk.log()
    with desk.org.acting(desk.rep) as acting:
        update_activity(made.pk, {"body": "Newer"}, acting=acting, version=1)
        with pytest.raises(Conflict):
            update_activity(made.pk, {"body": "Stale"}, acting=acting, version=1)
    assert desk.fresh(made).body == "Newer"


def test_update_of_a_stage_change_is_forbidden(desk: Desk):
    with desk.org.acting(desk.rep) as acting:
        timeline.write([timeline.Entry(kind="stage_change", deal_id=desk.deal.pk)], acting=acting)
        entry = Activity.objects.get()
        with pytest.raises(Forbidden):
            update_activity(entry.pk, {"body": "It never happened"}, acting=acting)
        with pytest.raises(Forbidden):
            delete_activity(entry.pk, acting=acting)
    assert (desk.fresh(entry).body, desk.fresh(entry).deleted_at) == ("", None)


def test_update_of_a_link_is_refused(desk: Desk):
    made = desk.log()
    with desk.org.acting(desk.rep) as acting, pytest.raises(Invalid):
        update_activity(made.pk, {"contact_id": None}, acting=acting)


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_correct_by_others_answers_not_found(desk: Desk, who: str):
    desk.share(desk.stranger, "write")
    made = desk.log()
    with desk.org.acting(getattr(desk, who)) as acting:
        with pytest.raises(NotFound):
            update_activity(made.pk, {"body": "Not mine"}, acting=acting)
        with pytest.raises(NotFound):
            delete_activity(made.pk, acting=acting)
    assert (desk.fresh(made).body, desk.fresh(made).deleted_at) == (made.body, None)


@pytest.mark.parametrize("who", ["boss", "admin"])
def test_correct_by_the_manager_or_an_admin(desk: Desk, who: str):
    made = desk.log()
    with desk.org.acting(getattr(desk, who)) as acting:
        update_activity(made.pk, {"body": "Corrected"}, acting=acting)
    assert desk.fresh(made).body == "Corrected"


# ---------------------------------------------------------------- deleting


def test_delete_puts_the_clocks_back_and_restore_forward(desk: Desk):
    first = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk, occurred_at=ago(days=4))
    last = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    with desk.org.acting(desk.rep) as acting:
        delete_activity(last.pk, acting=acting)
    assert desk.fresh(last).deleted_at is not None
    assert desk.fresh(desk.contact).last_activity_at == first.occurred_at
    assert desk.fresh(desk.deal).touched_at == first.occurred_at
    with desk.org.acting(desk.rep) as acting:
        restore_activity(last.pk, acting=acting)
    assert desk.fresh(last).deleted_at is None
    assert desk.fresh(desk.contact).last_activity_at == last.occurred_at
    assert desk.fresh(desk.deal).touched_at == last.occurred_at


def test_delete_of_the_only_activity_leaves_the_last_forward_step(desk: Desk):
    forward, back = ago(days=30), ago(days=10)
    with desk.org.system():
        for at, here, there in ((forward, "Lead", "Proposal"), (back, "Proposal", "Qualified")):
            StageChange.objects.create(
                deal=desk.deal, from_stage=desk.stages[here], to_stage=desk.stages[there], at=at, currency="EUR",
                probability=0,
            )  # fmt: skip
    made = desk.log(deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    with desk.org.acting(desk.rep) as acting:
        delete_activity(made.pk, acting=acting)
    assert desk.fresh(desk.deal).touched_at == forward
    assert desk.fresh(desk.contact).last_activity_at is None


def test_delete_counts_what_the_actor_does_not_see(desk: Desk):
    """The rep's own note on a contact that is somebody else's by now."""
    of_boss = desk.log(by=desk.boss, occurred_at=ago(days=2))
    made = desk.log()
    with desk.org.system():
        Contact.objects.filter(pk=desk.contact.pk).update(owner=desk.stranger, account=None)
        Activity.objects.update(account=None)
    with desk.org.acting(desk.rep) as acting:
        assert list(Activity.objects.values_list("pk", flat=True)) == [made.pk]
        delete_activity(made.pk, acting=acting)
    assert desk.fresh(desk.contact).last_activity_at == of_boss.occurred_at


def test_restore_of_what_is_not_deleted_answers_not_found(desk: Desk):
    made = desk.log()
    with desk.org.acting(desk.rep) as acting, pytest.raises(NotFound):
        restore_activity(made.pk, acting=acting)


# ---------------------------------------------------------------- many at once


def test_log_activities_leaves_what_one_by_one_leaves(desk: Desk):
    rows = [
        NewActivity(type="note", body="One", contact_id=desk.contact.pk, occurred_at=ago(days=3)),
        NewActivity(
            type="call", outcome="busy", deal_id=desk.deal.pk, contact_id=desk.contact.pk, occurred_at=ago(days=2)
        ),
        NewActivity(type="meeting", subject="Two", account_id=desk.account.pk, occurred_at=ago(days=1)),
    ]
    columns = [f.attname for f in Activity._meta.concrete_fields if f.name not in ("id", "created_at", "updated_at")]

    def state() -> tuple[object, ...]:
        with desk.org.system():
            made = list(Activity.objects.order_by("occurred_at").values_list(*columns))
            Activity.objects.all().delete()
        found = made, desk.fresh(desk.contact).last_activity_at, desk.fresh(desk.deal).touched_at
        with desk.org.system():
            Contact.objects.update(last_activity_at=None)
            Deal.objects.update(touched_at=desk.deal.touched_at)
        return found

    with desk.org.acting(desk.rep) as acting:
        for row in rows:
            log_activity(row, acting=acting)
    one_by_one = state()
    with desk.org.acting(desk.rep) as acting:
        log_activities(rows, acting=acting)
    assert state() == one_by_one
    assert len(one_by_one[0]) == 3


def test_log_activities_with_one_wrong_row_writes_none(desk: Desk):
    rows = [
        NewActivity(type="note", body="Fine", contact_id=desk.contact.pk),
        NewActivity(type="note", body="", contact_id=desk.contact.pk),
    ]
    with desk.org.acting(desk.rep) as acting, pytest.raises(Invalid) as caught:
        log_activities(rows, acting=acting)
    assert list(caught.value.fields) == ["1.body"]
    assert desk.count() == 0


def test_log_activities_emits_one_batch_and_moves_many_clocks(desk: Desk):
    with desk.org.system():
        people = [Contact.objects.create(first_name=str(n), owner=desk.rep) for n in range(3)]
    moments = [ago(days=n) for n in range(3)]
    rows = [
        NewActivity(type="note", body="Hi", contact_id=p.pk, occurred_at=at)
        for p, at in zip(people, moments, strict=True)
    ]
    with desk.org.acting(desk.rep) as acting:
        made = log_activities(rows, acting=acting)
    assert [desk.fresh(p).last_activity_at for p in people] == moments
    [payload] = events(desk, "activity.logged")
    assert payload["records"] == [str(a.pk) for a in made]
    assert set(payload["contacts"]) == {str(p.pk) for p in people}


def test_log_of_one_activity_takes_five_statements(desk: Desk, django_assert_num_queries):
    with desk.org.acting(desk.rep) as acting, django_assert_num_queries(5):  # savepoint 2, lock, insert, clock, event
        log_activity(NewActivity(type="note", body="x", contact_id=desk.contact.pk), acting=acting)


# ---------------------------------------------------------------- entries of the system


def test_timeline_entries_are_written_in_one_statement(desk: Desk, django_assert_num_queries):
    entries = [
        timeline.Entry(kind="system", data={"event": "created"}, contact_id=desk.contact.pk),
        timeline.Entry(kind="stage_change", data={"from": "Lead"}, deal_id=desk.deal.pk, account_id=desk.account.pk),
    ]
    with desk.org.acting(desk.rep) as acting, django_assert_num_queries(1):
        timeline.write(entries, acting=acting)
    with desk.org.system():
        rows = list(Activity.objects.order_by("id").values_list("type", "owner_id", "source", "data"))
    assert rows == [
        ("system", desk.rep.pk, "system", {"event": "created"}),
        ("stage_change", desk.rep.pk, "system", {"from": "Lead"}),
    ]
    assert desk.fresh(desk.contact).last_activity_at is None
