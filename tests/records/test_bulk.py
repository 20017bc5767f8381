"""Bulk actions through the pages and actions, of a type that only the tests have: who may, on what, and how far it is."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any

import pytest
from django.db import IntegrityError
from django.http import QueryDict

from crm.actions import bulk, views
from crm.actions.bulk import cancel_run, finish_run, get_run, run_part, start_bulk
from crm.enums import BulkStatus
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import BulkPart, BulkRun, ChangeSet, Notification, OutboxEvent, Tag
from crm.records import lists, schema, selections
from crm.records.lists import ListQuery
from crm.records.selections import Selection
from crm.tasks.bulk import run as task
from tests.records.harbour import Harbour
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)

ALL = Selection(query=ListQuery())


def ask(port: Harbour, member: Any, path: str, data: Any = None, **headers: str) -> Any:
    client, address = client_for(member), f"/w/{port.org.slug}/{path}"
    return client.get(address, headers=headers) if data is None else client.post(address, data, headers=headers)


def start(port: Harbour, member: Any, kind: str, selection: Selection, **values: Any) -> BulkRun:
    with port.org.acting(member) as acting:
        return start_bulk("vessel", kind, values, selection, acting=acting)


def many(port: Harbour, count: int, owner: Any = None) -> None:
    with port.org.system():
        Vessel.objects.bulk_create(Vessel(name=f"Ship {n:05}", owner=owner or port.rep, crew=n) for n in range(count))


def owners(port: Harbour) -> dict[str, int]:
    with port.org.system():
        names = [v.owner.name for v in Vessel.objects.select_related("owner__user")]
    return {name: names.count(name) for name in names}


# ---------------------------------------------------------------- who may, and on what


@pytest.mark.parametrize(("who", "buttons", "boxes"), [("rep", 5, True), ("admin", 5, True), ("reader", 0, False)])
def test_list_offers_what_its_reader_may(port: Harbour, who: str, buttons: int, boxes: bool):
    port.vessel()
    html = ask(port, getattr(port, who), "records/vessel/").content.decode()
    assert ('name="bulk-id"' in html) == boxes
    # Assign, tag, untag, edit a field, delete: a vessel has no stages.
    assert len(set(re.findall(r'hx-get="[^"]*/bulk/(assign|stage|tag|untag|set|delete)/', html))) == buttons


def test_read_only_members_choose_rows_where_they_may_export(port: Harbour):
    port.vessel()
    with port.org.system():
        type(port.org.organization).objects.filter(pk=port.org.id).update(readonly_may_export=True)
    html = ask(port, port.reader, "records/vessel/").content.decode()
    assert "data-export-picked" in html
    assert "/bulk/assign/" not in html


@pytest.mark.parametrize("what", ["assign", "set", "tag", "untag", "delete"])
def test_readers_may_do_none_of_it(port: Harbour, what: str):
    ship = port.vessel()
    for data in (None, {"bulk-id": [ship.pk], "owner": port.reader.pk, "tags": "x"}):
        assert ask(port, port.reader, f"records/vessel/bulk/{what}/?bulk-id={ship.pk}", data).status_code == 403
    with pytest.raises(Forbidden):
        start(port, port.reader, what, Selection((ship.pk,)), owner=str(port.reader.pk))
    assert (port.fresh(ship).version, port.fresh(ship).deleted_at) == (1, None)


def test_what_is_not_his_stays_and_tells_a_rep_nothing(port: Harbour):
    own, hidden = port.vessel("Own"), port.vessel("Hidden", owner=port.stranger)
    run = start(port, port.rep, "set", Selection((own.pk, hidden.pk)), crew=9)
    assert (run.total, run.changed, run.refused) == (1, 1, 0)
    assert port.fresh(hidden).version == 1
    with pytest.raises(Invalid):
        start(port, port.rep, "set", Selection((hidden.pk,)), crew=9)
    page = ask(port, port.rep, f"records/vessel/bulk/set/?bulk-id={hidden.pk}&bulk-field=crew").content.decode()
    assert "Hidden" not in page
    assert "Change 0 vessels" in page


def test_what_is_seen_but_not_his_is_left_and_named(port: Harbour):
    own, other = port.vessel("Own"), port.vessel("Other", owner=port.stranger)
    with port.org.system():
        type(port.org.organization).objects.filter(pk=port.org.id).update(visibility="all_read")
    run = start(port, port.rep, "assign", Selection((own.pk, other.pk)), owner=str(port.manager.pk))
    assert (run.total, run.changed, run.refused) == (2, 1, 1)
    assert port.fresh(other).owner_id == port.stranger.pk
    page = ask(port, port.rep, f"bulk/{run.pk}/").content.decode()
    assert "Not yours to change" in page
    assert "Other" in page


def test_runs_are_their_maker_s_and_the_admins(port: Harbour):
    run = start(port, port.rep, "set", Selection((port.vessel().pk,)), crew=9)
    for member, status in (
        (port.rep, 200),
        (port.admin, 200),
        (port.manager, 404),
        (port.stranger, 404),
        (port.reader, 404),
    ):
        assert ask(port, member, f"bulk/{run.pk}/").status_code == status
    with port.org.acting(port.manager) as manager, pytest.raises(NotFound):
        cancel_run(run.pk, acting=manager)


@pytest.mark.parametrize("values", [{"call_sign": "LA1"}, {"secret_code": "x"}, {"created_at": "2026-01-01"}, {"x": 1}])
def test_what_each_record_has_for_itself_is_not_set_in_many(port: Harbour, values: dict[str, Any]):
    ship = port.vessel()
    with pytest.raises(Forbidden):
        start(port, port.rep, "set", Selection((ship.pk,)), **values)
    assert port.fresh(ship).version == 1


def test_tags_of_a_role_that_does_not_see_them_are_not_changed(port: Harbour):
    ship = port.vessel()
    with pytest.raises(Forbidden):  # the field is for admins and reps
        start(port, port.manager, "tag", Selection((ship.pk,)), tags=["Fair"])
    assert port.fresh(ship).tags == []


# ---------------------------------------------------------------- through the pages


def test_tags_come_and_go(port: Harbour):
    ships = [port.vessel(f"Ship {n}") for n in range(3)]
    ids = {"bulk-id": [ship.pk for ship in ships]}
    answer = ask(port, port.rep, "records/vessel/bulk/tag/", {**ids, "tags": "Fair, Expo"})
    assert (answer.status_code, answer["Location"]) == (302, f"/w/{port.org.slug}/records/vessel/")
    with port.org.system():
        tags = {tag.name: tag.pk for tag in Tag.objects.all()}
    assert [port.fresh(ship).tags for ship in ships] == [[tags["Fair"], tags["Expo"]]] * 3
    ask(port, port.rep, "records/vessel/bulk/untag/", {**ids, "tags": [tags["Fair"]]})
    assert [port.fresh(ship).tags for ship in ships] == [[tags["Expo"]]] * 3


def test_form_says_how_many_and_asks_for_the_field(port: Harbour):
    many(port, 3)
    page = ask(port, port.rep, "records/vessel/bulk/set/?sort=name&bulk-all=1").content.decode()
    assert "Change 3 vessels" in page
    assert 'name="crew"' not in page
    page = ask(port, port.rep, "records/vessel/bulk/set/?sort=name&bulk-all=1&bulk-field=crew").content.decode()
    assert 'name="crew"' in page
    refused = ask(
        port, port.rep, "records/vessel/bulk/set/?sort=name", {"bulk-all": "1", "bulk-field": "crew", "crew": "x"}
    )
    assert refused.status_code == 422
    done = ask(
        port, port.rep, "records/vessel/bulk/set/?sort=name", {"bulk-all": "1", "bulk-field": "crew", "crew": "7"}
    )
    assert done["Location"] == f"/w/{port.org.slug}/records/vessel/?sort=name"
    with port.org.system():
        assert set(Vessel.objects.values_list("crew", flat=True)) == {7}


def test_amounts_are_set_with_their_currency(port: Harbour):
    ship = port.vessel(currency="USD", value=5)
    ask(port, port.rep, "records/vessel/bulk/set/", {"bulk-id": [ship.pk], "bulk-field": "value", "value": "12.50"})
    assert (port.fresh(ship).value, port.fresh(ship).currency) == (1250, "EUR")


def test_deleting_asks_with_the_count_and_is_undone(port: Harbour):
    ships = [port.vessel(f"Ship {n}") for n in range(2)]
    query = "&".join(f"bulk-id={ship.pk}" for ship in ships)
    assert "Delete 2 vessels" in ask(port, port.rep, f"records/vessel/bulk/delete/?{query}").content.decode()
    assert not port.fresh(ships[0]).deleted_at
    ask(port, port.rep, "records/vessel/bulk/delete/", {"bulk-id": [ship.pk for ship in ships]})
    assert all(port.fresh(ship).deleted_at for ship in ships)
    with port.org.system():
        made = ChangeSet.objects.get()
    ask(port, port.rep, f"changes/{made.pk}/undo/", {})
    assert not any(port.fresh(ship).deleted_at for ship in ships)


def test_all_that_match_are_those_of_the_list(port: Harbour):
    many(port, 60)
    port.vessel("Hidden", owner=port.stranger, crew=3)
    query = "crew.max=39"
    assert "Select all 40" in ask(port, port.rep, f"records/vessel/bulk/count/?{query}").content.decode()
    ask(port, port.rep, f"records/vessel/bulk/assign/?{query}", {"bulk-all": "1", "owner": str(port.manager.pk)})
    assert owners(port) == {"Mia Manager": 40, "Rhea Rep": 20, "Sven Strange": 1}


def test_rows_of_a_saved_view_are_those_that_were_shown(port: Harbour):
    many(port, 60)
    with port.org.acting(port.rep) as rep:
        kind = schema.record_type("vessel", rep)
        few = lists.parse_query(kind, QueryDict("crew.max=9"), rep)
        view = views.create_view("vessel", "Small", few, acting=rep)
    page = ask(port, port.rep, f"records/vessel/?view={view.pk}").content.decode()
    (address,) = re.findall(r'hx-get="([^"]*bulk/assign/[^"]*)"', page)
    with port.org.acting(port.rep) as rep:
        wider = lists.parse_query(kind, QueryDict("crew.max=99"), rep)
        views.arrange_view(view.pk, wider, acting=rep, version=view.version)
    query = html.unescape(address).partition("?")[2]
    ask(port, port.rep, f"records/vessel/bulk/assign/?{query}", {"bulk-all": "1", "owner": str(port.manager.pk)})
    assert owners(port) == {"Mia Manager": 10, "Rhea Rep": 50}


def test_more_than_100_000_are_refused(port: Harbour, monkeypatch: pytest.MonkeyPatch):
    assert selections.MOST == 100_000
    monkeypatch.setattr(selections, "MOST", 10)
    many(port, 11)
    assert "More than" in ask(port, port.rep, "records/vessel/bulk/count/").content.decode()
    with pytest.raises(Invalid, match="Narrow the list down"):
        start(port, port.rep, "set", ALL, crew=9)
    with port.org.system():
        assert (Vessel.objects.filter(crew=9).count(), BulkRun.objects.count(), ChangeSet.objects.count()) == (1, 0, 0)


@pytest.mark.parametrize("everything", [True, False])
def test_export_holds_the_chosen_rows(port: Harbour, everything: bool):
    ships = [port.vessel(f"Ship {n}") for n in range(3)]
    hidden = port.vessel("Hidden", owner=port.stranger)
    query = "bulk-all=1" if everything else f"bulk-id={ships[0].pk}&bulk-id={hidden.pk}"
    answer = ask(port, port.rep, f"records/vessel/bulk/export/?sort=name&{query}")
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    assert [row["Name"] for row in rows] == (["Ship 0", "Ship 1", "Ship 2"] if everything else ["Ship 0"])


# ---------------------------------------------------------------- jobs


def test_many_are_a_job_in_parts_of_1_000_under_one_change_set(port: Harbour):
    many(port, 2300)
    run = start(port, port.rep, "assign", ALL, owner=str(port.manager.pk))
    assert (run.status, run.total, run.done) == (BulkStatus.QUEUED, 2300, 0)
    with port.org.system():
        assert [len(part.ids) for part in BulkPart.objects.order_by("number")] == [1000, 1000, 300]
        assert OutboxEvent.objects.get(name="task").payload["task"] == bulk.TASK
    task(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(port.rep.pk))
    with port.org.acting(port.rep) as rep:
        run = get_run(run.pk, rep)
    assert (run.status, run.done, run.changed, run.refused) == (BulkStatus.DONE, 2300, 2300, 0)
    assert owners(port) == {"Mia Manager": 2300}
    with port.org.system():
        events = OutboxEvent.objects.filter(name="vessel.updated")
        assert [len(event.payload["records"]) for event in events.order_by("id")] == [1000, 1000, 300]
        assert ChangeSet.objects.count() == 1
        told = Notification.objects.get(member=port.manager)
        assert (told.kind, told.data["count"]) == ("records.assigned", 2300)
    assert "2,300" in ask(port, port.manager, "notifications/").content.decode()


def test_a_job_that_was_killed_goes_on_where_it_was(port: Harbour, monkeypatch: pytest.MonkeyPatch):
    many(port, 250)
    monkeypatch.setattr(bulk, "PART", 100)
    run = start(port, port.rep, "set", ALL, crew=999)
    with port.org.acting(port.rep) as rep:
        assert run_part(run.pk, acting=rep)

    def killed(*_args: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("crm.records.bulk.write_rows", killed)
        with pytest.raises(KeyboardInterrupt), port.org.acting(port.rep) as rep:
            run_part(run.pk, acting=rep)
    with port.org.system():
        many_done = Vessel.objects.filter(crew=999).count()
        assert (many_done, BulkRun.objects.get().done) == (100, 100)
    for _delivered_twice in range(2):
        task(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(port.rep.pk))
    with port.org.system():
        run = BulkRun.objects.get()
        assert (run.status, run.done, run.changed) == (BulkStatus.DONE, 250, 250)
        assert set(Vessel.objects.values_list("crew", "version")) == {(999, 2)}


def test_what_matches_later_is_none_of_it(port: Harbour):
    many(port, 250)
    run = start(port, port.rep, "set", ALL, crew=999)
    late = port.vessel("Late", crew=1)
    with port.org.system():
        gone = Vessel.objects.order_by("pk").first()
    port.delete("vessel", gone)
    task(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(port.rep.pk))
    with port.org.system():
        run = BulkRun.objects.get()
    assert (run.changed, run.refused, port.fresh(late).crew, port.fresh(gone).crew) == (249, 1, 1, gone.crew)


def test_cancelled_runs_begin_no_further_part_and_are_undone(port: Harbour, monkeypatch: pytest.MonkeyPatch):
    many(port, 250)
    monkeypatch.setattr(bulk, "PART", 100)
    run = start(port, port.rep, "set", ALL, crew=999)
    with port.org.acting(port.rep) as rep:
        run_part(run.pk, acting=rep)
    assert ask(port, port.rep, f"changes/{run.change_set_id}/undo/", {}).status_code == 409
    assert ask(port, port.rep, f"bulk/{run.pk}/cancellation/", {}).status_code == 302
    task(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(port.rep.pk))
    with port.org.acting(port.rep) as rep:
        run = get_run(run.pk, rep)
        assert (run.status, run.done) == (BulkStatus.CANCELLED, 100)
        with pytest.raises(Conflict):
            cancel_run(run.pk, acting=rep)
    assert ask(port, port.rep, f"changes/{run.change_set_id}/undo/", {}).status_code == 302
    with port.org.system():
        assert not Vessel.objects.filter(crew=999).exists()


def test_a_member_who_is_deactivated_meanwhile_changes_nothing_more(port: Harbour):
    many(port, 250)
    run = start(port, port.rep, "set", ALL, crew=999)
    with port.org.system():
        type(port.rep).objects.filter(pk=port.rep.pk).update(active=False)
    task(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(port.rep.pk))
    with port.org.system():
        assert BulkRun.objects.get().status == BulkStatus.FAILED
        assert not Vessel.objects.filter(crew=999).exists()


def test_a_row_that_the_database_refuses_keeps_the_others_from_nothing(port: Harbour, monkeypatch: pytest.MonkeyPatch):
    ships = [port.vessel(f"Ship {n}") for n in range(3)]
    write = bulk.bulk.write_rows

    def picky(model: Any, columns: Any, rows: Any, **more: Any) -> int:
        if any(row["id"] == ships[1].pk for row in rows):
            raise IntegrityError("no")
        return int(write(model, columns, rows, **more))

    monkeypatch.setattr("crm.records.bulk.write_rows", picky)
    run = start(port, port.rep, "set", Selection(tuple(ship.pk for ship in ships)), crew=5)
    assert (run.changed, run.refused) == (2, 1)
    assert [port.fresh(ship).crew for ship in ships] == [5, None, 5]


def test_run_that_broke_says_so(port: Harbour):
    many(port, 250)
    run = start(port, port.rep, "set", ALL, crew=999)
    assert "hx-trigger" in ask(port, port.rep, f"bulk/{run.pk}/").content.decode()
    with port.org.system() as system:
        finish_run(run.pk, acting=system, error="Something went wrong on our side.")
    page = ask(port, port.rep, f"bulk/{run.pk}/").content.decode()
    assert "Something went wrong on our side." in page


# ---------------------------------------------------------------- the page of a change set


def test_change_set_shows_each_reader_what_they_see(port: Harbour):
    own, other = port.vessel("Aurora", crew=1), port.vessel("Borealis", owner=port.stranger, crew=2)
    run = start(port, port.admin, "set", Selection((own.pk, other.pk)), crew=9)
    path = f"changes/{run.change_set_id}/"
    seen = {who: ask(port, getattr(port, who), path) for who in ("admin", "rep", "stranger", "reader")}
    assert {who: page.status_code for who, page in seen.items()} == dict.fromkeys(seen, 200)
    texts = {who: page.content.decode() for who, page in seen.items()}
    names = {who: [name for name in ("Aurora", "Borealis") if name in text] for who, text in texts.items()}
    assert names == {
        "admin": ["Aurora", "Borealis"],
        "rep": ["Aurora"],
        "stranger": ["Borealis"],
        "reader": ["Aurora", "Borealis"],
    }
    assert [who for who, text in texts.items() if "Undo 2 records" in text] == ["admin"]
    for who in ("rep", "stranger", "reader"):
        assert ask(port, getattr(port, who), path + "undo/", {}).status_code == 403
    assert port.fresh(own).crew == 9
    history = ask(port, port.rep, f"records/vessel/{own.pk}/history/").content.decode()
    assert path in history


def test_change_set_of_records_that_one_does_not_see_is_absent(port: Harbour):
    ship = port.vessel(owner=port.stranger)
    run = start(port, port.admin, "set", Selection((ship.pk,)), crew=9)
    assert ask(port, port.rep, f"changes/{run.change_set_id}/").status_code == 404
