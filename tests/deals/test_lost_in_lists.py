"""A lost stage that is chosen in a list or on a board of any field: where the reason is asked for, and of whom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deals.models import Deal
from tests.deals.conftest import Sales
from tests.support.web import client_for

JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true"}


def _path(sales: Sales, path: str) -> str:
    return f"/w/{sales.org.slug}/{path}"


def _form(sales: Sales, deal: Deal, stage: str, version: int = 1) -> str:
    """Where the reason is asked for."""
    return _path(sales, f"deals/{deal.pk}/stage/?stage={sales.stages[stage].pk}&version={version}")


def _state(sales: Sales, deal: Deal) -> tuple[str, str, str]:
    now = sales.fresh(deal)
    return now.stage.name, now.status, now.close_reason


def _edit(sales: Sales, member: Any, deal: Deal, stage: str, **headers: str) -> Any:
    sent = {"version": deal.version, "stage": sales.stages[stage].pk}
    path = _path(sales, f"records/deal/{deal.pk}/fields/stage/?cell=1")
    return client_for(member).post(path, sent, headers=headers)


def _drop(sales: Sales, member: Any, deal: Deal, stage: str) -> Any:
    body = json.dumps({"value": str(sales.stages[stage].pk), "version": deal.version})
    path = _path(sales, f"records/deal/{deal.pk}/choices/stage/?layout=board&by=stage")
    return client_for(member).put(path, body, content_type="application/json", headers=JSON)


def test_a_cell_shows_the_stage_as_it_was_and_opens_the_question(sales: Sales):
    deal = sales.deal()
    answer = _edit(sales, sales.rep, deal, "Lost", **HTMX)
    assert answer.status_code == 200
    assert json.loads(answer["HX-Trigger"]) == {"openDialog": {"href": _form(sales, deal, "Lost")}}
    text = answer.content.decode()
    assert ("Lead" in text, "<form" in text) == (True, False)
    assert _state(sales, deal) == ("Lead", "open", "")


def test_without_script_the_question_is_a_page(sales: Sales):
    deal = sales.deal()
    answer = _edit(sales, sales.rep, deal, "Lost")
    assert (answer.status_code, answer["Location"]) == (302, _form(sales, deal, "Lost"))
    page = client_for(sales.rep).get(answer["Location"])
    assert (page.status_code, "Mark as lost" in page.content.decode()) == (200, True)


def test_other_stages_ask_for_nothing(sales: Sales):
    deal = sales.deal()
    answer = _edit(sales, sales.rep, deal, "Proposal", **HTMX)
    assert (answer.status_code, "Proposal" in answer.content.decode(), "HX-Trigger" in answer) == (200, True, False)
    assert _state(sales, deal) == ("Proposal", "open", "")


def test_the_answer_moves_the_deal_and_tells_the_list(sales: Sales):
    deal, client = sales.deal(), client_for(sales.rep)
    form = _form(sales, deal, "Lost")
    refused = client.post(form, {"reason": ""}, headers=HTMX)
    assert (refused.status_code, _state(sales, deal)) == (422, ("Lead", "open", ""))
    done = client.post(form, {"reason": "Price", "note": "Ten percent less"}, headers=HTMX)
    told = json.loads(done["HX-Trigger"])
    assert (done.status_code, list(told)) == (204, ["cellChanged", "closeDialog", "toast", "deals:changed"])
    assert told["cellChanged"] == {"id": str(deal.pk), "key": "stage"}
    assert (_state(sales, deal), sales.fresh(deal).close_note) == (("Lost", "lost", "Price"), "Ten percent less")
    back = client.post(told["toast"]["undo"], headers=HTMX)
    assert json.loads(back["HX-Trigger"])["cellChanged"] == {"id": str(deal.pk), "key": "stage"}
    assert _state(sales, deal) == ("Lead", "open", "")


def test_a_deal_that_has_changed_since_is_not_moved(sales: Sales):
    deal = sales.deal()
    form = _form(sales, deal, "Lost")
    assert _edit(sales, sales.manager, deal, "Proposal", **HTMX).status_code == 200
    answer = client_for(sales.rep).post(form, {"reason": "Price"}, headers=HTMX)
    assert (answer.status_code, "Somebody else changed this deal" in answer.content.decode()) == (422, True)
    assert _state(sales, deal) == ("Proposal", "open", "")


def test_a_card_is_told_where_the_question_is_and_how_things_are_after_it(sales: Sales):
    deal, client = sales.deal(), client_for(sales.rep)
    answer = _drop(sales, sales.rep, deal, "Lost")
    assert (answer.status_code, answer.json()["more"]) == (422, _form(sales, deal, "Lost"))
    assert _state(sales, deal) == ("Lead", "open", "")
    client.post(answer.json()["more"], {"reason": "Timing"}, headers=HTMX)
    path = _path(sales, f"records/deal/{deal.pk}/choices/stage/?layout=board&by=stage")
    now = client.get(path, headers=JSON).json()
    heads = {head["key"]: head["html"] for head in now["heads"]}
    assert (now["version"], set(now)) == (2, {"version", "heads"})
    assert '<span class="count">1</span>' in heads[str(sales.stages["Lost"].pk)]
    assert '<span class="count">0</span>' in heads[str(sales.stages["Lead"].pk)]
    assert client_for(sales.stranger).get(path, headers=JSON).status_code == 404


def test_the_undo_of_a_move_out_of_lost_asks_again(sales: Sales):
    deal = sales.deal(stage=sales.stages["Lost"], close_reason="Price")
    undo = _drop(sales, sales.rep, deal, "Lead").json()["undo"]
    answer = client_for(sales.rep).post(undo, headers=HTMX)
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"]) == {"openDialog": {"href": _form(sales, deal, "Lost", 2)}}
    assert _state(sales, deal)[:2] == ("Lead", "open")


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_who_may_not_change_the_deal_is_asked_nothing(sales: Sales, who: str):
    deal, client = sales.deal(), client_for(getattr(sales, who))
    form = _form(sales, deal, "Lost")
    assert client.get(form).status_code == client.post(form, {"reason": "Price"}).status_code == 404
    assert _edit(sales, getattr(sales, who), deal, "Lost", **HTMX).status_code in (403, 404)
    assert _drop(sales, getattr(sales, who), deal, "Lost").status_code in (403, 404)
    assert _state(sales, deal) == ("Lead", "open", "")


@pytest.mark.parametrize("stage", ["Lead", "nonsense", ""])
def test_a_stage_that_ends_nothing_has_no_question(sales: Sales, stage: str):
    deal = sales.deal()
    pk = sales.stages[stage].pk if stage in sales.stages else stage
    form = _path(sales, f"deals/{deal.pk}/stage/?stage={pk}&version=1")
    assert client_for(sales.rep).post(form, {"reason": "Price"}).status_code in (404, 422)
    assert _state(sales, deal) == ("Lead", "open", "")
