"""After a bulk action, its result and its undo one is on the very list that it was begun from."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.http import QueryDict

from crm.actions import bulk, views
from crm.models import BulkRun
from crm.records import lists, schema
from crm.tasks.bulk import run as task
from tests.records.harbour import Harbour
from tests.records.test_bulk import ask, many
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


def _path(port: Harbour) -> str:
    return f"/w/{port.org.slug}/records/vessel/"


def _private_view(port: Harbour, member: Any, query: str) -> Any:
    with port.org.acting(member) as acting:
        found = lists.parse_query(schema.record_type("vessel", acting), QueryDict(query), acting)
        return views.create_view("vessel", "Own", found, acting=acting)


def _second_page(port: Harbour, query: str) -> str:
    page = ask(port, port.rep, f"records/vessel/{query}").content.decode()
    return html.unescape(re.findall(r'href="([^"]*)" rel="next"', page)[0])


def _here(page: Any) -> str:
    """What the bar, or the form of an action, says the list is."""
    return html.unescape(re.findall(r'name="bulk-from" value="([^"]*)"', page.content.decode())[0])


def _ids(page: Any) -> list[str]:
    return re.findall(r'name="bulk-id" value="([^"]*)"', page.content.decode())


def _only_run(port: Harbour) -> BulkRun:
    with port.org.system():
        return BulkRun.objects.get()


@pytest.mark.parametrize("everything", [True, False])
def test_view_filter_sort_and_page_are_those_that_one_came_from(port: Harbour, everything: bool):
    many(port, 70)
    view = _private_view(port, port.rep, "crew.min=5&sort=-name")
    query = _second_page(port, f"?view={view.pk}&density=compact")
    page = ask(port, port.rep, f"records/vessel/{query}")
    here = _here(page)
    assert sorted(here[1:].split("&")) == sorted(query[1:].split("&"))
    chosen = {"bulk-all": "1"} if everything else {"bulk-id": _ids(page)[:2]}
    form = ask(port, port.rep, "records/vessel/bulk/tag/?bulk-id=" + _ids(page)[0] + f"&bulk-from={_quoted(here)}")
    assert _here(form) == here
    answer = ask(port, port.rep, "records/vessel/bulk/tag/?crew.min=5", {**chosen, "tags": "Fair", "bulk-from": here})
    assert (answer.status_code, answer["Location"]) == (302, _path(port) + here)
    run = _only_run(port)
    assert run.changed == (65 if everything else 2)
    back = ask(port, port.rep, f"changes/{run.change_set_id}/undo/", {})
    assert (back.status_code, back["Location"]) == (302, _path(port) + here)
    with port.org.system():
        assert not Vessel.objects.exclude(tags=[]).exists()


def _quoted(text: str) -> str:
    given = QueryDict(mutable=True)
    given["x"] = text
    return given.urlencode()[2:]


def test_result_of_a_job_leads_back_to_the_list(port: Harbour, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    many(port, 3)
    view = _private_view(port, port.rep, "crew.min=1")
    here = f"?sort=-name&view={view.pk}"
    sent = {"bulk-all": "1", "tags": "Fair", "bulk-from": here}
    answer = ask(port, port.rep, "records/vessel/bulk/tag/?crew.min=1", sent)
    run = _only_run(port)
    assert answer["Location"] == f"/w/{port.org.slug}/bulk/{run.pk}/"
    task(org_id=str(port.org.id), run_id=str(run.pk), member_id=str(port.rep.pk))
    page = ask(port, port.rep, f"bulk/{run.pk}/").content.decode()
    assert f'href="{html.escape(_path(port) + here)}">Open vessels' in page
    # The view is the rep's alone: an admin is led to the list of all.
    page = ask(port, port.admin, f"bulk/{run.pk}/").content.decode()
    assert f'href="{_path(port)}">Open vessels' in page
    assert str(view.pk) not in page


def test_page_that_is_empty_now_is_left_for_the_first(port: Harbour):
    many(port, 52)
    query = _second_page(port, "?sort=name")
    page = ask(port, port.rep, f"records/vessel/{query}")
    sent = {"bulk-id": _ids(page), "bulk-from": _here(page)}
    assert len(sent["bulk-id"]) == 2
    answer = ask(port, port.rep, "records/vessel/bulk/delete/", sent)
    assert answer["Location"] == _path(port) + "?sort=name"
    back = ask(port, port.rep, f"changes/{_only_run(port).change_set_id}/undo/", {})
    assert back["Location"] == _path(port) + _here(page)


@pytest.mark.parametrize(
    "given",
    [
        "//evil.example/", "https://evil.example/", "/w/other/records/vessel/", "?no_such_field=1", "?sort=no_such_field",
        "?view=00000000-0000-0000-0000-000000000000", "crew.min=1", "?q=" + "x" * 9000,
    ],
)  # fmt: skip
def test_what_is_no_list_leads_to_the_usual_one(port: Harbour, given: str):
    ship = port.vessel()
    page = ask(port, port.rep, f"records/vessel/bulk/tag/?bulk-id={ship.pk}&bulk-from={_quoted(given)}")
    assert (page.status_code, "evil" in page.content.decode(), "bulk-from" in page.content.decode()) == (
        200, False, False,
    )  # fmt: skip
    sent = {"bulk-id": [ship.pk], "tags": "Fair", "bulk-from": given}
    assert ask(port, port.rep, "records/vessel/bulk/tag/", sent)["Location"] == _path(port)
    run = _only_run(port)
    assert (run.changed, run.came_from) == (1, "")
    assert ask(port, port.rep, f"changes/{run.change_set_id}/undo/", {})["Location"] == _path(port)


def test_view_of_somebody_else_is_no_way_back(port: Harbour):
    ship, view = port.vessel(), _private_view(port, port.stranger, "crew.min=1")
    sent = {"bulk-id": [ship.pk], "tags": "Fair", "bulk-from": f"?view={view.pk}"}
    assert ask(port, port.rep, "records/vessel/bulk/tag/", sent)["Location"] == _path(port)
    assert _only_run(port).came_from == ""
