"""Activities in lists: which cells and cards can be changed, and what the outcome of a call is to lists, filters, files."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import QueryDict

from activities.actions import tasks
from activities.models import Activity
from crm.actions.views import create_view
from crm.models import Membership, SavedView
from crm.records import lists, schema
from tests.activities.conftest import Desk
from tests.support.web import client_for

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}
FIXED = ("type", "contact", "account", "deal")  # what an activity is, and what it is about


def at(desk: Desk, path: str) -> str:
    return f"/w/{desk.org.slug}/{path}"


def get(desk: Desk, path: str, who: Membership | None = None) -> str:
    response = client_for(who or desk.rep).get(at(desk, path))
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def field(desk: Desk, row: Activity, key: str, who: Membership | None = None, **sent: Any) -> Any:
    """The form of a cell, or the answer to what is sent with it."""
    client, path = client_for(who or desk.rep), at(desk, f"records/activity/{row.pk}/fields/{key}/?cell=1")
    return client.post(path, sent, headers=HX) if sent else client.get(f"{path}&edit=1", headers=HX)


def drag(desk: Desk, row: Activity, key: str, value: str, who: Membership | None = None) -> Any:
    path = at(desk, f"records/activity/{row.pk}/choices/{key}/?layout=board&by={key}")
    body = {"value": value, "version": row.version}
    headers = {"Accept": "application/json"}
    return client_for(who or desk.rep).put(path, body, content_type="application/json", headers=headers)


def values(desk: Desk, row: Activity) -> dict[str, Any]:
    fresh = desk.fresh(row)
    return {f.attname: getattr(fresh, f.attname) for f in Activity._meta.concrete_fields}


def rows(page: str) -> set[str]:
    return set(re.findall(r'data-id="([^"]+)"', page))


# ---------------------------------------------------------------- what can be changed


def test_only_what_a_correction_takes_is_edited_in_cells(desk: Desk):
    desk.log(type="call", deal_id=desk.deal.pk, contact_id=desk.contact.pk)
    shown = ["type", "owner", "source", "contact", "account", "deal", "occurred_at", "direction", "outcome",
             "duration_seconds", "body"]  # fmt: skip
    page = get(desk, f"activities/?cols={','.join(shown)}")
    cells = re.findall(r'<td data-col="(\w+)"([^>]*)>', page)
    assert [key for key, _rest in cells] == shown
    edited = [key for key, rest in cells if "cell-edit" in rest]
    assert edited == ["occurred_at", "direction", "outcome", "duration_seconds", "body"]


@pytest.mark.parametrize("key", [*FIXED, "owner", "source"])
def test_what_an_activity_is_and_is_about_has_no_editor(desk: Desk, key: str):
    call = desk.log(type="call", deal_id=desk.deal.pk)
    before = values(desk, call)
    assert field(desk, call, key).status_code == 403
    sent = {"type": "note", "owner": str(desk.boss.pk), "source": "import"}.get(key, "")
    assert field(desk, call, key, version="1", **{key: sent}).status_code == 403
    assert values(desk, call) == before


def test_board_by_type_shows_cards_that_stay_where_they_are(desk: Desk):
    call = desk.log(type="call")
    page = get(desk, "activities/?layout=board")
    assert ("by=type" in page, rows(page), " data-editable" in page) == (True, {str(call.pk)}, False)
    before = values(desk, call)
    assert drag(desk, call, "type", "meeting").status_code == 422
    assert values(desk, call) == before


def test_what_is_written_once_is_not_for_many_either(desk: Desk):
    page = get(desk, "records/activity/bulk/set/")
    offered = set(re.findall(r'<option value="(\w+)"', page))
    assert offered == {"subject", "occurred_at", "body", "direction", "outcome", "duration_seconds"}


def test_what_keel_wrote_opens_no_editor(desk: Desk):
    with desk.org.acting(desk.rep) as rep:
        done = tasks.create_task({"title": "Send the offer", "contact": desk.contact.pk, "status": "done"}, acting=rep)
    with desk.org.system():
        entry = Activity.objects.get(data__task=str(done.pk))
    answer = field(desk, entry, "subject")
    assert (answer.status_code, "Keel wrote this entry itself" in answer["HX-Trigger"]) == (403, True)
    assert "/edit/" in get(desk, f"records/activity/{desk.log().pk}/")
    assert "/edit/" not in get(desk, f"records/activity/{entry.pk}/")


def test_an_activity_is_made_with_what_it_is_about_and_keeps_it(desk: Desk):
    client, new = client_for(desk.rep), at(desk, "records/activity/new/")
    assert {f'name="{key}"' in client.get(new).content.decode() for key in FIXED} == {True}
    assert client.post(new, {"type": "note", "body": "New", "contact": str(desk.contact.pk)}).status_code == 302
    with desk.org.system():
        made = Activity.objects.get()
    assert (made.type, made.contact_id, made.account_id) == ("note", desk.contact.pk, desk.account.pk)
    edit = at(desk, f"records/activity/{made.pk}/edit/")
    page = client.get(edit).content.decode()
    assert [key for key in FIXED if f'name="{key}"' in page] == []
    given = {"body": "Newer", "occurred_at": made.occurred_at.isoformat()[:16], "version": "1"}
    assert client.post(edit, {**given, "type": "call", "contact": "", "deal": str(desk.deal.pk)}).status_code == 302
    now = desk.fresh(made)
    assert (now.body, now.type, now.contact_id, now.deal_id) == ("Newer", "note", desk.contact.pk, None)


# ---------------------------------------------------------------- the outcome of a call


@pytest.fixture
def calls(desk: Desk) -> dict[str, Activity]:
    return {
        "missed": desk.log(type="call", subject="Rang", outcome="no_answer"),
        "spoke": desk.log(type="call", subject="Spoke", outcome="connected"),
        "note": desk.log(body="They want the lease option."),
    }


def test_outcome_is_shown_in_words(desk: Desk, calls: dict[str, Activity]):
    page = get(desk, "activities/?cols=outcome")
    assert (page.count("No answer"), page.count("Connected"), "no_answer" in page.partition("<tbody")[2]) == (
        1,
        1,
        False,
    )
    lines = b"".join(client_for(desk.rep).get(at(desk, "records/activity/export/?cols=outcome")).streaming_content)
    told = sorted(line.rpartition(",")[2] for line in lines.decode().splitlines()[1:])
    assert told == ["", "Connected", "No answer"]


def test_outcome_is_filtered_by_its_choices(desk: Desk, calls: dict[str, Activity]):
    for query, found in (
        ("outcome=no_answer", ["missed"]),
        ("filter=outcome:is:no_answer", ["missed"]),
        ("filter=outcome:is_not:no_answer", ["note", "spoke"]),
        ("filter=outcome:any_of:(no_answer,connected)", ["missed", "spoke"]),
        ("filter=outcome:empty", ["note"]),
    ):
        assert rows(get(desk, f"activities/?{query}")) == {str(calls[name].pk) for name in found}, query
    assert "No answer" in get(desk, "activities/?filter=outcome:is:no_answer").partition("<tbody")[0]
    assert rows(get(desk, "contacts/?filter=some(activities,outcome:is:busy)")) == set()
    assert rows(get(desk, "contacts/?filter=some(activities,outcome:is:connected)")) == {str(desk.contact.pk)}
    for wrong in ("outcome:is:gone", "outcome:contains:answer"):
        assert client_for(desk.rep).get(at(desk, f"activities/?filter={wrong}")).status_code == 422


def test_outcome_heads_groups_and_columns(desk: Desk, calls: dict[str, Activity]):
    page = get(desk, "activities/?group=outcome")
    places = [page.index(f"block=rows&amp;key={key}") for key in ("connected", "no_answer")]
    assert places == sorted(places)
    assert rows(get(desk, "activities/?group=outcome&block=rows&key=no_answer")) == {str(calls["missed"].pk)}
    assert rows(get(desk, "activities/?group=outcome&block=rows&key=")) == {str(calls["note"].pk)}
    board = get(desk, "activities/?layout=board&by=outcome")
    assert (" data-editable" in board, rows(board)) == (True, {str(row.pk) for row in calls.values()})
    labels = re.findall(r'data-label="([^"]*)"', board)
    assert labels == ["Connected", "No answer", "Left voicemail", "Busy", "Wrong number", "None"]


def test_outcome_of_a_call_is_changed_in_its_cell_and_on_the_board(desk: Desk, calls: dict[str, Activity]):
    form = field(desk, calls["missed"], "outcome").content.decode()
    assert re.findall(r'<option value="(\w*)"', form) == [
        "", "connected", "no_answer", "voicemail", "busy", "wrong_number",
    ]  # fmt: skip
    answer = field(desk, calls["missed"], "outcome", outcome="voicemail", version="1")
    assert (answer.status_code, "Left voicemail" in answer.content.decode()) == (200, True)
    moved = drag(desk, desk.fresh(calls["missed"]), "outcome", "busy")
    assert (moved.status_code, moved.json()["text"]) == (200, "Rang moved to Busy")
    assert desk.fresh(calls["missed"]).outcome == "busy"
    page = get(desk, f"records/activity/{calls['missed'].pk}/history/")
    assert [word in page for word in ("No answer", "Left voicemail", "Busy")] == [True, True, True]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("note", "busy", "Only a call has an outcome."),
        ("missed", "", "Choose how the call ended."),
    ],
)
def test_outcome_is_for_calls_and_every_call_has_one(
    desk: Desk, calls: dict[str, Activity], name: str, value: str, said: str
):
    row = calls[name]
    before = values(desk, row)
    answer = field(desk, row, "outcome", outcome=value, version="1")
    assert (answer.status_code, said in answer.content.decode()) == (422, True)
    answer = drag(desk, row, "outcome", value)
    assert (answer.status_code, answer.json()["errors"]) == (422, {"outcome": [said]})
    assert values(desk, row) == before


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 404)])
def test_outcome_stays_for_who_may_not_correct_the_call(desk: Desk, calls: dict[str, Activity], who: str, status: int):
    row, member = calls["missed"], getattr(desk, who)
    before = values(desk, row)
    assert field(desk, row, "outcome", member, outcome="busy", version="1").status_code == status
    assert drag(desk, row, "outcome", "busy", member).status_code == status
    assert values(desk, row) == before


def test_views_that_compared_the_outcome_as_a_text_open_without_that_part(desk: Desk, calls: dict[str, Activity]):
    with desk.org.acting(desk.rep) as rep:
        kind = schema.record_type("activity", rep)

        def saved(name: str, where: str) -> SavedView:
            query = lists.parse_query(kind, QueryDict(f"filter={where}"), rep)
            return create_view("activity", name, query, acting=rep)

        kept, old = saved("Missed", "type:is:call,outcome:is:no_answer"), saved("Old", "type:is:call")
        SavedView.objects.filter(pk=old.pk).update(arrangement="filter=type:is:call,outcome:contains:answer")
    page = get(desk, f"activities/?view={kept.pk}")
    assert (rows(page), "A part of this view" in page) == ({str(calls["missed"].pk)}, False)
    page = get(desk, f"activities/?view={old.pk}")
    assert rows(page) == {str(calls[name].pk) for name in ("missed", "spoke")}
    assert "A part of this view" in page
