"""Pages of tasks: the list, the form, completing, the pane on records, filters by tasks; and the list of activities."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from activities.actions import tasks
from activities.models import Task
from contacts.models import Account
from crm.models import Membership
from tests.activities.conftest import Desk, statements
from tests.support.web import client_for

pytestmark = pytest.mark.django_db


def at(desk: Desk, path: str) -> str:
    return f"/w/{desk.org.slug}/{path}"


def get(desk: Desk, path: str, who: Membership | None = None, **headers: str) -> str:
    response = client_for(who or desk.rep).get(at(desk, path), headers=headers)
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def add(desk: Desk, title: str, **values: Any) -> Task:
    with desk.org.acting(desk.rep) as actor:
        return tasks.create_task({"title": title, **values}, acting=actor)


@pytest.fixture
def week(desk: Desk) -> dict[str, Task]:
    now = timezone.now()
    made = {
        "done": add(desk, "Old offer", due_at=now - dt.timedelta(days=9)),
        "someday": add(desk, "Read the study"),
        "next": add(desk, "Call Petra", due_at=now + dt.timedelta(days=2), contact=desk.contact.pk),
        "late": add(desk, "Chase legal", due_at=now - dt.timedelta(days=1), deal=desk.deal.pk, priority="high"),
    }
    with desk.org.acting(desk.rep) as actor:
        tasks.complete_task(made["done"].pk, acting=actor)
    return made


def test_list_begins_with_what_is_due_first_and_ends_with_what_is_done(desk: Desk, week: dict[str, Task]):
    html = get(desk, "tasks/")
    places = [html.index(str(week[name].pk)) for name in ("late", "next", "someday", "done")]
    assert places == sorted(places)
    row = html[places[0] : places[1]]
    assert ('class="danger"' in row, "Yard crane retrofit" in row, "High" in row) == (True, True, True)
    assert html.count('class="danger"') == 1
    assert next(line for line in html.splitlines() if "check-round" in line).count(" checked") == 1
    assert get(desk, "tasks/?due_at=overdue&status=todo").count("data-id=") == 1
    assert get(desk, "tasks/", desk.stranger).count("data-id=") == 0


def test_list_takes_the_same_statements_for_many(desk: Desk, week: dict[str, Task]):
    client = client_for(desk.rep)
    statements(client, at(desk, "tasks/"))
    few = statements(client, at(desk, "tasks/"))
    for n in range(20):
        add(desk, f"Task {n}", contact=desk.contact.pk)
    assert statements(client, at(desk, "tasks/")) == few <= 8


def test_boxes_are_for_who_may_tick_them(desk: Desk, week: dict[str, Task]):
    assert get(desk, "tasks/").count("hx-put=") == 3
    reader = get(desk, "tasks/", desk.reader)
    assert (reader.count("hx-put="), reader.count("hx-delete="), reader.count("check-round")) == (0, 0, 4)


def test_a_new_task_from_a_records_page(desk: Desk):
    path = f"tasks/new/?contact={desk.contact.pk}"
    html = get(desk, path, **{"HX-Request": "true", "HX-Target": "dialog"})
    assert "New task about Ines Marchetti" in html
    assert 'name="deal"' not in html
    form = {"title": "Send the deck", "due_on": "2026-12-01", "due_time": "10:30", "priority": "high",
            "owner": str(desk.rep.pk), "tags": "Demo"}  # fmt: skip
    response = client_for(desk.rep).post(at(desk, path), form, headers={"HX-Request": "true"})
    assert (response.status_code, "recordChanged" in response["HX-Trigger"]) == (204, True)
    with desk.org.system():
        task = Task.objects.get()
    due = timezone.localtime(task.due_at)
    assert (task.title, task.contact_id, task.account_id, len(task.tags)) == (
        "Send the deck", desk.contact.pk, desk.account.pk, 1,
    )  # fmt: skip
    assert (task.is_timed, due.minute) == (True, 30)
    assert "Send the deck" in get(desk, f"tasks/of/contact/{desk.contact.pk}/", **{"HX-Request": "true"})


@pytest.mark.parametrize("form", [{"title": ""}, {"title": "x", "due_time": "10:00"}, {"title": "x", "owner": "x"}])
def test_wrong_forms_say_so(desk: Desk, form: dict[str, str]):
    given = {"priority": "normal", "owner": str(desk.rep.pk), **form}
    response = client_for(desk.rep).post(at(desk, "tasks/new/"), given)
    assert response.status_code == 422
    with desk.org.system():
        assert Task.objects.count() == 0


def test_form_keeps_a_day_without_a_time(desk: Desk):
    task = add(desk, "Read", due_at=dt.date(2026, 12, 1))
    client = client_for(desk.rep)
    html = get(desk, f"tasks/{task.pk}/edit/")
    assert 'value="2026-12-01"' in html
    form = {"title": "Read it", "due_on": "2026-12-01", "priority": "normal", "status": "todo",
            "owner": str(desk.rep.pk), "version": "1"}  # fmt: skip
    assert client.post(at(desk, f"tasks/{task.pk}/edit/"), form).status_code == 302
    fresh = desk.fresh(task)
    assert (fresh.title, fresh.due_at, fresh.is_timed) == ("Read it", task.due_at, False)
    assert client.post(at(desk, f"tasks/{task.pk}/edit/"), form).status_code == 422


def test_completing_and_undoing_by_the_pages(desk: Desk, week: dict[str, Task]):
    client, task = client_for(desk.rep), week["late"]
    path = at(desk, f"tasks/{task.pk}/completion/")
    done = client.put(path, headers={"HX-Request": "true"})
    assert (done.status_code, desk.fresh(task).status) == (204, "done")
    assert f"{task.pk}/completion/?undo=done" in done["HX-Trigger"]
    page = get(desk, f"deals/{desk.deal.pk}/")
    assert "completed a task" in page
    client.post(f"{path}?undo=done", headers={"HX-Request": "true"})
    assert desk.fresh(task).status == "todo"
    assert client.put(path).status_code == 302
    assert client.delete(path).status_code == 302
    assert desk.fresh(task).status == "todo"


def test_page_of_a_task(desk: Desk, week: dict[str, Task]):
    html = get(desk, f"tasks/{week['late'].pk}/")
    assert all(text in html for text in ("Chase legal", "Yard crane retrofit", "hx-put=", "Assigned to"))
    assert "Chase legal" in get(desk, f"records/task/{week['late'].pk}/history/")
    assert client_for(desk.stranger).get(at(desk, f"tasks/{week['late'].pk}/")).status_code == 404


def test_record_pages_ask_for_their_tasks_apart(desk: Desk, week: dict[str, Task]):
    for kind in ("contact", "account", "deal"):
        page = get(desk, f"{kind}s/{getattr(desk, kind).pk}/")
        assert f"tasks/of/{kind}/{getattr(desk, kind).pk}/" in page
    pane = get(desk, f"tasks/of/deal/{desk.deal.pk}/", **{"HX-Request": "true"})
    assert ("Chase legal" in pane, "Call Petra" in pane) == (True, False)
    assert client_for(desk.rep).get(at(desk, f"tasks/of/deal/{desk.deal.pk}/")).status_code == 302
    assert client_for(desk.rep).get(at(desk, f"tasks/of/vessel/{desk.deal.pk}/")).status_code == 404


def test_records_are_filtered_by_their_tasks(desk: Desk, week: dict[str, Task]):
    with desk.org.system():
        Account.objects.create(name="Quiet Works", owner=desk.rep)
    planned = "tasks,status:none_of:(done),due_at:gt:now"
    assert "Quiet Works" in get(desk, f"accounts/?filter=none({planned})")
    assert "Halden Logistics" not in get(desk, f"accounts/?filter=none({planned})").split('id="records"')[1]
    assert "Halden Logistics" in get(desk, f"accounts/?filter=some({planned})")
    assert "Yard crane" in get(desk, f"deals/list/?filter=none({planned})")


def test_tasks_are_exported_and_found(desk: Desk, week: dict[str, Task]):
    response = client_for(desk.rep).get(at(desk, "records/task/export/"))
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert (len(lines), "Chase legal" in lines[1]) == (5, True)
    assert get(desk, "tasks/?q=chase").count("data-id=") == 1
    assert str(week["late"].pk) in get(desk, "search/?q=legal")
    assert "Add task" in get(desk, f"palette/?record=deal/{desk.deal.pk}")


def test_activities_are_listed_without_what_keel_wrote(desk: Desk):
    desk.log(body="They want the lease option.")
    task = add(desk, "Send it", contact=desk.contact.pk)
    with desk.org.acting(desk.rep) as actor:
        tasks.complete_task(task.pk, acting=actor)
        from crm.records import timeline  # noqa: PLC0415

        entry = timeline.Entry(kind="system", data={"event": "created"}, contact_id=desk.contact.pk)
        timeline.write([entry], acting=actor)
    html = get(desk, "activities/")
    assert html.count("data-id=") == 2
    assert all(text in html for text in ("They want the lease option.", "Send it", "Ines Marchetti", "Maya Okafor"))
    assert get(desk, "activities/?type=system").count("data-id=") == 1
    assert get(desk, "activities/?type=note").count("data-id=") == 1
    assert get(desk, "activities/?q=lease").count("data-id=") == 1
    assert get(desk, "activities/", desk.stranger).count("data-id=") == 0
    response = client_for(desk.rep).get(at(desk, "records/activity/export/"))
    assert len(b"".join(response.streaming_content).decode().splitlines()) == 3


def test_an_activity_is_read_on_its_records_timeline(desk: Desk):
    note = desk.log()
    response = client_for(desk.rep).get(at(desk, f"activities/{note.pk}/"))
    assert response["Location"] == at(desk, f"contacts/{desk.contact.pk}/?entry={note.pk}#a-{note.pk}")
    with desk.org.system():
        type(desk.contact).objects.filter(pk=desk.contact.pk).update(owner=desk.stranger)
        Account.objects.filter(pk=desk.account.pk).update(owner=desk.stranger)
    assert "They want the lease option." in get(desk, f"activities/{note.pk}/")


def test_generic_pages_of_activities_keep_their_rules(desk: Desk):
    note, client = desk.log(), client_for(desk.rep)
    path = at(desk, f"records/activity/{note.pk}/edit/")
    form = {
        "body": "Leasing", "occurred_at": timezone.localtime(note.occurred_at).isoformat()[:16], "version": "1",
    }  # fmt: skip
    assert client.post(path, form).status_code == 302
    assert desk.fresh(note).body == "Leasing"
    assert client.post(path, {**form, "outcome": "busy", "version": "2"}).status_code == 422
    assert client.post(at(desk, "records/activity/new/"), {"type": "system", "body": "x"}).status_code == 422
    assert (desk.fresh(note).outcome, desk.count()) == ("", 1)
