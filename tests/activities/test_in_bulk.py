"""Many tasks or activities changed at once, and that taken back: the rules of the single actions hold for them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from activities.actions import log, tasks
from activities.enums import ActivityType
from activities.models import Activity
from contacts.actions.contacts import create_contact
from contacts.models import Contact
from contacts.values import NewContact
from crm.lib.errors import Forbidden
from crm.models import Notification, OutboxEvent
from tests.activities.conftest import Desk
from tests.activities.test_tasks import add, notes
from tests.records.test_undo import refused, run, undo

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(desk: Desk, record: Any) -> Any:
    with desk.org.system():
        return type(record).everything.get(pk=record.pk)


def mark(desk: Desk) -> int:
    with desk.org.system():
        return OutboxEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0


def told(desk: Desk, prefix: str, since: int) -> list[tuple[str, int]]:
    """The events since: their name, and of how many records they tell."""
    with desk.org.system():
        rows = OutboxEvent.objects.filter(name__startswith=prefix, id__gt=since).order_by("name", "id")
        return [(row.name, 1 if row.record else len(row.payload["records"])) for row in rows]


def note_of(desk: Desk, kind: str = ActivityType.NOTE, **values: Any) -> Activity:
    with desk.org.acting(desk.rep) as rep:
        given = {"contact_id": desk.contact.pk, "body": "Spoke of the berth", **values}
        return log.log_activity(log.NewActivity(type=kind, **given), acting=rep)


# ---------------------------------------------------------------- tasks


def test_done_in_bulk_completes_and_its_undo_opens_again(desk: Desk):
    made = [add(desk, contact=desk.contact.pk), add(desk, title="Call back", deal=desk.deal.pk)]
    since = mark(desk)
    done = run(desk, desk.rep, "task", "set", made, status="done")
    assert done.changed == 2
    assert [(t.status, t.completed_at is not None) for t in (fresh(desk, m) for m in made)] == [("done", True)] * 2
    assert [notes(desk, m) for m in made] == [[("Send the offer", desk.rep.pk)], [("Call back", desk.rep.pk)]]
    assert told(desk, "task.", since) == [("task.completed", 1), ("task.completed", 1)]
    since = mark(desk)
    back = undo(desk, desk.rep, done)
    assert (back.changed, refused(desk, back)) == (2, [])
    assert [(t.status, t.completed_at) for t in (fresh(desk, m) for m in made)] == [("todo", None)] * 2
    assert [notes(desk, m) for m in made] == [[], []]
    assert told(desk, "task.", since) == [("task.reopened", 2)]
    again = undo(desk, desk.rep, back)
    assert again.changed == 2
    assert [notes(desk, m) for m in made] == [[("Send the offer", desk.rep.pk)], [("Call back", desk.rep.pk)]]


def test_undo_of_more_than_done_tells_of_both(desk: Desk):
    made = [add(desk), add(desk)]
    done = run(desk, desk.rep, "task", "set", made, priority="high")
    since = mark(desk)
    assert undo(desk, desk.rep, done).changed == 2
    assert told(desk, "task.", since) == [("task.updated", 2)]
    assert [fresh(desk, m).priority for m in made] == ["normal", "normal"]


def test_tasks_are_given_to_a_colleague(desk: Desk):
    made = [add(desk), add(desk, title="Call back")]
    assert run(desk, desk.rep, "task", "assign", made, owner=str(desk.boss.pk)).changed == 2
    with desk.org.system():
        told = list(Notification.objects.filter(member=desk.boss).values_list("kind", "data__count"))
    assert told == [("records.assigned", 2)]
    assert [fresh(desk, task).owner_id for task in made] == [desk.boss.pk] * 2


def test_note_of_a_done_task_goes_with_it_to_another_record(desk: Desk):
    task = add(desk, contact=desk.contact.pk, status="done")
    with desk.org.acting(desk.rep) as rep:
        tasks.update_task(task.pk, {"contact": None, "deal": desk.deal.pk}, acting=rep)
    with desk.org.system():
        rows = Activity.objects.filter(data__task=str(task.pk))
        assert [(r.contact_id, r.deal_id) for r in rows] == [(None, desk.deal.pk)]
    with desk.org.acting(desk.rep) as rep:
        tasks.update_task(task.pk, {"contact": desk.contact.pk, "deal": None, "status": "todo"}, acting=rep)
    assert notes(desk, task) == []


def test_note_of_a_done_task_goes_when_it_is_about_nothing_and_comes_with_something(desk: Desk):
    task = add(desk, contact=desk.contact.pk, status="done")
    with desk.org.acting(desk.rep) as rep:
        tasks.update_task(task.pk, {"contact": None, "account": None}, acting=rep)
    assert notes(desk, task) == []
    with desk.org.acting(desk.rep) as rep:
        tasks.update_task(task.pk, {"deal": desk.deal.pk}, acting=rep)
    assert notes(desk, task) == [("Send the offer", desk.rep.pk)]


# ---------------------------------------------------------------- activities


def test_edit_refuses_what_keel_wrote_and_changes_the_others(desk: Desk):
    written = note_of(desk)
    add(desk, contact=desk.contact.pk, status="done")
    with desk.org.system():
        kept = Activity.objects.get(type=ActivityType.TASK)
    done = run(desk, desk.rep, "activity", "set", [written, kept], subject="Berth")
    assert done.changed == 1
    assert [pk for pk, _text in refused(desk, done)] == [str(kept.pk)]
    assert (fresh(desk, written).subject, fresh(desk, kept).subject) == ("Berth", "Send the offer")


def test_delete_refuses_what_keel_wrote_and_deletes_the_others(desk: Desk):
    written = note_of(desk)
    add(desk, contact=desk.contact.pk, status="done")
    with desk.org.system():
        kept = Activity.objects.get(type=ActivityType.TASK)
    done = run(desk, desk.rep, "activity", "delete", [written, kept])
    assert done.changed == 1
    assert refused(desk, done) == [(str(kept.pk), "Keel wrote this entry itself; it can't be changed.")]
    assert fresh(desk, written).deleted_at is not None
    assert fresh(desk, kept).deleted_at is None


def test_what_an_activity_is_about_is_not_for_many(desk: Desk):
    written = note_of(desk)
    for field in ("type", "contact", "account", "deal"):
        with pytest.raises(Forbidden):
            run(desk, desk.rep, "activity", "set", [written], **{field: None})


def test_undo_of_another_date_sets_the_clock_of_the_contact_back(desk: Desk):
    then = timezone.now().replace(microsecond=0) - dt.timedelta(days=9)
    written = note_of(desk, occurred_at=then)
    assert fresh(desk, desk.contact).last_activity_at == then
    later = then + dt.timedelta(days=4)
    done = run(desk, desk.rep, "activity", "set", [written], occurred_at=later.isoformat())
    assert fresh(desk, desk.contact).last_activity_at == later
    since = mark(desk)
    assert undo(desk, desk.rep, done).changed == 1
    assert fresh(desk, written).occurred_at == then
    assert fresh(desk, desk.contact).last_activity_at == then
    assert told(desk, "activity.", since) == [("activity.updated", 1)]


def test_undo_refuses_what_would_name_a_record_that_is_gone(desk: Desk):
    with desk.org.acting(desk.rep) as rep:
        other = create_contact(NewContact(last_name="Gone"), acting=rep)
    task = add(desk, contact=other.pk)
    done = run(desk, desk.rep, "task", "set", [task], contact=str(desk.contact.pk), account=None)
    with desk.org.system():
        Contact.everything.filter(pk=other.pk).update(deleted_at=timezone.now())
    back = undo(desk, desk.rep, done)
    assert (back.changed, refused(desk, back)) == (0, [(str(task.pk), "Its former value in “Contact” was deleted")])
    assert fresh(desk, task).contact_id == desk.contact.pk
