"""Tasks: who sees and changes them, what completing one leaves, and what they are about."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from activities.actions import tasks
from activities.actions.follow import follow_accounts
from activities.models import Activity, Task
from contacts.models import Account, Contact
from crm import access
from crm.actions.bin import delete_record, restore_record
from crm.actions.members import deactivate_member
from crm.enums import ShareLevel
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import BinEntry, Membership, Notification, OutboxEvent
from crm.tenancy.context import Actor
from tests.activities.conftest import Desk

pytestmark = pytest.mark.django_db


def add(desk: Desk, by: Membership | None = None, **values: Any) -> Task:
    """A task of the rep, unless said otherwise."""
    with desk.org.acting(by or desk.rep) as actor:
        return tasks.create_task({"title": "Send the offer", **values}, acting=actor)


def sees(desk: Desk, task: Task) -> dict[str, bool]:
    found = {}
    for name in ("admin", "boss", "rep", "reader", "stranger"):
        with desk.org.acting(getattr(desk, name)) as actor:
            by_filter = access.visible(Task, actor).filter(pk=task.pk).exists()
            by_policy = Task.objects.filter(pk=task.pk).exists()
            branches = access.branches(Task.objects.filter(pk=task.pk), actor)
            by_branches = [branch.count() for branch in branches]
        assert by_filter == by_policy == bool(sum(by_branches))
        assert sum(by_branches) <= 1
        found[name] = by_filter
    return found


def events(desk: Desk) -> list[str]:
    with desk.org.system():
        rows = OutboxEvent.objects.filter(name__startswith="task.").order_by("id")
        return list(rows.values_list("name", flat=True))


def notes(desk: Desk, task: Task) -> list[tuple[str, Any]]:
    with desk.org.system():
        rows = Activity.objects.filter(type="task", data__task=str(task.pk))
        return [(row.subject, row.owner_id) for row in rows]


# ---------------------------------------------------------------- who


def test_task_is_seen_by_its_owner_and_their_managers(desk: Desk):
    expected = {"admin": True, "boss": True, "rep": True, "reader": True, "stranger": False}
    assert sees(desk, add(desk)) == expected
    assert sees(desk, add(desk, desk.stranger)) == {**expected, "boss": False, "rep": False, "stranger": True}


def test_task_is_seen_with_what_it_is_about(desk: Desk):
    of_admin = {"owner": desk.admin.pk}
    everybody = dict.fromkeys(("admin", "boss", "rep", "reader", "stranger"), True)
    for about in ("contact", "account", "deal"):
        task = add(desk, desk.admin, **{about: getattr(desk, about).pk}, **of_admin)
        assert sees(desk, task) == {**everybody, "stranger": False}
    task = add(desk, desk.admin, contact=desk.contact.pk)
    desk.share(desk.stranger)
    assert sees(desk, task) == everybody
    # A deal comes before the contact that it is about as well.
    assert sees(desk, add(desk, desk.admin, deal=desk.deal.pk, contact=desk.contact.pk)) == {
        **everybody, "stranger": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("who", "may"), [("admin", True), ("boss", True), ("rep", True), ("reader", False), ("stranger", False)]
)
def test_task_is_changed_by_its_owner_their_managers_and_admins(desk: Desk, who: str, may: bool):
    task = add(desk)
    attempts = [
        lambda actor: tasks.update_task(task.pk, {"title": "Another"}, acting=actor),
        lambda actor: tasks.complete_task(task.pk, acting=actor),
        lambda actor: tasks.reopen_task(task.pk, acting=actor),
        lambda actor: tasks.update_task(task.pk, {"owner": desk.admin.pk}, acting=actor),
        lambda actor: delete_record("task", task.pk, acting=actor),
    ]
    for attempt in attempts:
        with desk.org.acting(getattr(desk, who)) as actor:
            if may and attempt is not attempts[-1]:
                attempt(actor)
            elif not may:
                with pytest.raises(NotFound):
                    attempt(actor)
        if may:
            with desk.org.system():
                Task.objects.filter(pk=task.pk).update(owner=desk.rep)
    if not may:
        fresh = desk.fresh(task)
        assert (fresh.title, fresh.status, fresh.owner_id, fresh.version) == ("Send the offer", "todo", desk.rep.pk, 1)


def test_share_to_write_a_contact_gives_no_right_to_others_tasks_about_it(desk: Desk):
    task = add(desk, contact=desk.contact.pk)
    desk.share(desk.stranger, ShareLevel.WRITE)
    with desk.org.acting(desk.stranger) as actor:
        assert Task.objects.filter(pk=task.pk).exists()
        with pytest.raises(NotFound):
            tasks.complete_task(task.pk, acting=actor)
    assert desk.fresh(task).status == "todo"


def test_read_only_members_add_none(desk: Desk):
    with pytest.raises(Forbidden):
        add(desk, desk.reader)
    with desk.org.system():
        assert Task.objects.count() == 0


# ---------------------------------------------------------------- what


def test_due_is_a_moment_or_the_end_of_a_day(desk: Desk):
    at = timezone.now().replace(microsecond=0) + dt.timedelta(days=1)
    timed, dated, open_ended = add(desk, due_at=at), add(desk, due_at=dt.date(2026, 3, 1)), add(desk)
    assert (timed.due_at, timed.is_timed) == (at, True)
    zone = desk.org.organization.time_zone
    local = timezone.localtime(dated.due_at, timezone=ZoneInfo(zone))
    assert (local.isoformat()[:19], dated.is_timed) == ("2026-03-01T23:59:59", False)
    assert open_ended.due_at is None
    with desk.org.system():
        order = list(Task.objects.order_by("agenda_at").values_list("pk", flat=True))
    assert order == [dated.pk, timed.pk, open_ended.pk]
    with desk.org.acting(desk.rep) as actor:
        tasks.complete_task(dated.pk, acting=actor)
    with desk.org.system():
        assert list(Task.objects.order_by("agenda_at").values_list("pk", flat=True))[-1] == dated.pk


def test_account_follows_the_deal_or_the_contact(desk: Desk):
    with desk.org.system() as system:
        other = Account.objects.create(name="Kestrel", owner=desk.rep)
        task = tasks.create_task({"title": "x", "contact": desk.contact.pk, "owner": desk.rep.pk}, acting=system)
        assert task.account_id == desk.account.pk
        with pytest.raises(Invalid) as caught:
            tasks.create_task(
                {"title": "x", "deal": desk.deal.pk, "account": other.pk, "owner": desk.rep.pk}, acting=system
            )
        assert list(caught.value.fields) == ["account"]
        Contact.objects.filter(pk=desk.contact.pk).update(account=other)
        assert follow_accounts(contacts=[desk.contact.pk], acting=system) == 1
    assert desk.fresh(task).account_id == other.pk


@pytest.mark.parametrize("values", [{"title": " "}, {"title": "x" * 201}, {"status": "lost"}, {"priority": "x"}])
def test_wrong_values_are_refused(desk: Desk, values: dict[str, Any]):
    with pytest.raises(Invalid) as caught:
        add(desk, **values)
    assert list(caught.value.fields) == list(values)
    with pytest.raises(Forbidden):
        add(desk, completed_at=timezone.now())
    with desk.org.system():
        assert Task.objects.count() == 0


def test_about_what_one_does_not_see_is_refused(desk: Desk):
    for about in ("contact", "account", "deal"):
        with pytest.raises(NotFound):
            add(desk, desk.stranger, **{about: getattr(desk, about).pk})


# ---------------------------------------------------------------- completing


def test_completing_notes_it_where_it_belongs_and_reopening_takes_that_back(desk: Desk):
    task = add(desk, contact=desk.contact.pk)
    with desk.org.acting(desk.boss) as actor:
        done = tasks.complete_task(task.pk, acting=actor)
        again = tasks.complete_task(task.pk, acting=actor)
    assert (done.status, done.completed_at is not None, again.version) == ("done", True, done.version)
    assert notes(desk, task) == [("Send the offer", desk.boss.pk)]
    with desk.org.acting(desk.rep) as actor:
        reopened = tasks.reopen_task(task.pk, acting=actor)
    assert (reopened.status, reopened.completed_at) == ("todo", None)
    assert notes(desk, task) == []
    assert events(desk) == ["task.created", "task.completed", "task.reopened"]


def test_task_about_nothing_is_done_without_a_note(desk: Desk):
    task = add(desk)
    with desk.org.acting(desk.rep) as actor:
        tasks.complete_task(task.pk, acting=actor)
    assert notes(desk, task) == []


def test_update_refuses_an_older_version(desk: Desk):
    task = add(desk)
    with desk.org.acting(desk.rep) as actor:
        tasks.update_task(task.pk, {"priority": "high"}, acting=actor, version=1)
        with pytest.raises(Conflict):
            tasks.update_task(task.pk, {"priority": "low"}, acting=actor, version=1)
    assert desk.fresh(task).priority == "high"


# ---------------------------------------------------------------- whose


def test_assigning_tells_the_new_owner_who_may_be_somebody_unseen(desk: Desk):
    task = add(desk)
    with desk.org.acting(desk.rep) as actor:
        tasks.update_task(task.pk, {"owner": desk.stranger.pk}, acting=actor)
        with pytest.raises(NotFound):
            tasks.update_task(task.pk, {"owner": desk.rep.pk}, acting=actor)
    with desk.org.system():
        told = list(Notification.objects.values_list("member_id", "kind", "record"))
    assert told == [(desk.stranger.pk, "task.assigned", task.pk)]
    assert desk.fresh(task).owner_id == desk.stranger.pk


def test_added_for_somebody_else(desk: Desk):
    task = add(desk, owner=desk.stranger.pk)
    assert (task.owner_id, task.created_by_id) == (desk.stranger.pk, desk.rep.pk)
    with desk.org.system():
        desk.stranger.active = False
        desk.stranger.save(update_fields=["active"])
    with pytest.raises(Invalid):
        add(desk, owner=desk.stranger.pk)


def test_tasks_of_a_leaver_go_to_somebody_else(desk: Desk):
    task = add(desk, desk.stranger)
    with desk.org.acting(desk.admin) as actor:
        deactivate_member(desk.stranger.pk, reassign_to=desk.rep.pk, acting=actor)
    assert desk.fresh(task).owner_id == desk.rep.pk


def test_recycle_bin_and_back(desk: Desk):
    task = add(desk)
    with desk.org.acting(desk.rep) as actor:
        delete_record("task", task.pk, acting=actor)
        assert list(BinEntry.objects.values_list("record_type", "name")) == [("task", "Send the offer")]
        assert not access.visible(Task, actor).exists()
        restore_record("task", task.pk, acting=actor)
        assert access.visible(Task, actor).get() == task


def test_what_keel_wrote_itself_is_not_deleted(desk: Desk):
    task = add(desk, contact=desk.contact.pk)
    with desk.org.acting(desk.rep) as actor:
        tasks.complete_task(task.pk, acting=actor)
        (note,) = Activity.objects.filter(type="task")
        with pytest.raises(Forbidden):
            delete_record("activity", note.pk, acting=actor)
    assert desk.fresh(note).deleted_at is None


def test_system_needs_an_owner(desk: Desk):
    with desk.org.system() as system, pytest.raises(Invalid):
        tasks.create_task({"title": "x"}, acting=system)
    assert isinstance(system, Actor)
