"""Runs that go on without their maker: what the inbox says at their end, and the list that leads back to them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crm.actions import bulk
from crm.actions.bulk import cancel_run, finish_run, run_part
from crm.actions.undo import undo_change_set
from crm.models import BulkRun, Notification
from crm.records.selections import Selection
from crm.tasks.bulk import run as task
from tests.records.harbour import Harbour
from tests.records.test_bulk import ALL, ask, many, start
from tests.support.web import unread_of
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _few_are_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "PART", 2)


def _job(port: Harbour, run: BulkRun) -> None:
    task(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(run.owner_id))


def _inbox(port: Harbour, member: Any) -> list[tuple[str, str]]:
    """What somebody's inbox says, the latest first, and in which colour."""
    page = ask(port, member, "notifications/").content.decode()
    told = re.findall(r'tl-icon" data-tone="(\w+)">.*?note-text">(.*?)</span>', page)
    return [(re.sub(r"</?strong>", "", text), tone) for tone, text in told]


def _inboxes(port: Harbour) -> dict[str, list[tuple[str, str]]]:
    """Of those who were told anything."""
    found = {who: _inbox(port, getattr(port, who)) for who in ("rep", "manager", "admin", "reader", "stranger")}
    return {who: told for who, told in found.items() if told}


def test_who_began_a_job_is_told_once_that_it_is_done(port: Harbour):
    many(port, 3)
    run = start(port, port.rep, "set", ALL, crew=99)
    assert _inboxes(port) == {}
    for _delivered_twice in range(2):
        _job(port, run)
    assert _inboxes(port) == {"rep": [("Set Crew: done for 3 vessels", "green")]}
    with port.org.system():
        pk = Notification.objects.get().pk
    assert ask(port, port.rep, f"notifications/{pk}/")["Location"] == f"/w/{port.org.slug}/bulk/{run.pk}/"


def test_what_was_done_within_the_request_is_no_news(port: Harbour):
    many(port, 2)
    start(port, port.rep, "set", ALL, crew=99)
    assert _inboxes(port) == {}


def test_looking_at_the_result_is_reading_the_news(port: Harbour):
    many(port, 3)
    run = start(port, port.rep, "set", ALL, crew=99)
    _job(port, run)
    assert unread_of(port.org.slug, port.rep) == 1
    assert "1 unread" in ask(port, port.rep, "bulk/").content.decode()
    ask(port, port.admin, f"bulk/{run.pk}/")
    assert unread_of(port.org.slug, port.rep) == 1
    page = ask(port, port.rep, f"bulk/{run.pk}/").content.decode()
    assert unread_of(port.org.slug, port.rep) == 0
    assert "1 unread" not in page


def test_records_that_stayed_are_told(port: Harbour):
    many(port, 3)
    run = start(port, port.rep, "set", ALL, crew=99)
    with port.org.system():
        gone = Vessel.objects.earliest("pk")
    port.delete("vessel", gone)
    _job(port, run)
    assert _inboxes(port) == {"rep": [("Set Crew: done for 2 vessels; 1 stayed as they were", "amber")]}


def test_an_end_before_the_end_is_told(port: Harbour):
    many(port, 5)
    cancelled = start(port, port.rep, "set", ALL, crew=99)
    with port.org.acting(port.rep) as rep:
        run_part(cancelled.pk, acting=rep)
        cancel_run(cancelled.pk, acting=rep)
    _job(port, cancelled)
    broken = start(port, port.manager, "set", ALL, crew=98)
    with port.org.system() as system:
        finish_run(broken.pk, acting=system, error="Something went wrong on our side.")
    assert _inboxes(port) == {
        "rep": [("Set Crew: cancelled after 2 of 5 vessels", "gray")],
        "manager": [("Set Crew: stopped after 0 of 5 vessels", "red")],
    }


def test_an_undo_by_a_job_is_told_to_who_undid_it(port: Harbour):
    many(port, 3)
    run = start(port, port.rep, "set", ALL, crew=99)
    _job(port, run)
    with port.org.acting(port.admin) as admin:
        back = undo_change_set(run.change_set_id, acting=admin)
    _job(port, back)
    assert _inboxes(port) == {
        "rep": [("Set Crew: done for 3 vessels", "green")],
        "admin": [("Undo of Crew: done for 3 vessels", "green")],
    }


# ---------------------------------------------------------------- the list of them


def _listed(port: Harbour, member: Any, query: str = "") -> list[str]:
    page = ask(port, member, f"bulk/{query}")
    assert page.status_code == 200
    return re.findall(rf'href="/w/{port.org.slug}/bulk/([-0-9a-f]+)/"', page.content.decode())


def test_everybody_finds_their_own_runs_again_and_admins_all(port: Harbour):
    many(port, 3)
    his = start(port, port.rep, "set", ALL, crew=99)
    hers = start(port, port.manager, "set", Selection((port.vessel("Own", owner=port.manager).pk,)), crew=1)
    wanted = {"rep": [his], "manager": [hers], "admin": [hers, his], "reader": [], "stranger": []}
    found = {who: _listed(port, getattr(port, who)) for who in wanted}
    assert found == {who: [str(run.pk) for run in runs] for who, runs in wanted.items()}
    page = ask(port, port.rep, "bulk/").content.decode()
    assert "Waiting to start" in page
    _job(port, his)
    page = ask(port, port.rep, "bulk/").content.decode()
    assert ("Waiting to start" in page, "3 vessels · 3 changed" in page) == (False, True)


def test_the_list_goes_on_by_pages(port: Harbour):
    ship = port.vessel()
    runs = [start(port, port.rep, "set", Selection((ship.pk,)), crew=n) for n in range(32)]
    newest = [str(run.pk) for run in reversed(runs)]
    assert _listed(port, port.rep) == newest[:30]
    page = ask(port, port.rep, "bulk/").content.decode()
    (older,) = re.findall(r'href="(\?after=[^"]*)" rel="next"', page)
    assert _listed(port, port.rep, older) == newest[30:]


def test_settings_lead_to_it_for_who_may_begin_one(port: Harbour):
    link = f'href="/w/{port.org.slug}/bulk/"'
    shown = {who: link in ask(port, getattr(port, who), "recycle-bin/").content.decode() for who in ("rep", "reader")}
    assert shown == {"rep": True, "reader": False}
