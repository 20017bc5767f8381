"""The pages of deals, by the test client: what each role sees and may do, and what a page costs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Account
from deals.actions.deals import create_deals
from deals.models import Deal
from tests.deals.conftest import Sales, make_sales
from tests.support.web import client_for

JSON = {"Accept": "application/json"}


def get(sales: Sales, member: Any, path: str, **headers: str) -> Any:
    return client_for(member).get(f"/w/{sales.org.slug}/{path}", headers=headers)


def put_stage(sales: Sales, member: Any, deal: Deal, stage: str, query: str = "", **values: Any) -> Any:
    body = json.dumps({"stage": str(sales.stages[stage].pk), **values})
    path = f"/w/{sales.org.slug}/deals/{deal.pk}/stage/{query}"
    return client_for(member).put(path, body, content_type="application/json", headers=JSON)


def statements(caught: CaptureQueriesContext) -> list[str]:
    """What the bar counts: all but BEGIN, SET and COMMIT."""
    return [q["sql"] for q in caught.captured_queries if not q["sql"].startswith(("BEGIN", "SET", "COMMIT"))]


@pytest.mark.parametrize("who", ["admin", "manager", "rep"])
def test_board_shows_cards_and_what_can_be_done(sales: Sales, who):
    sales.deal("Crane <b>retrofit</b>", amount=12_000_00)
    answer = get(sales, getattr(sales, who), "deals/")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Crane &lt;b&gt;retrofit&lt;/b&gt;" in html
    assert ("data-editable" in html, "Add deal" in html, "€12,000" in html) == (True, True, True)


def test_board_of_a_reader_changes_nothing(sales: Sales):
    deal = sales.deal("Crane")
    html = get(sales, sales.reader, "deals/").content.decode()
    assert ("Crane" in html, "data-editable" in html, "Add deal" in html, "data-fixed" in html) == (
        True, False, False, True,
    )  # fmt: skip
    refused = put_stage(sales, sales.reader, deal, "Commit")
    assert (refused.status_code, sales.fresh(deal).stage.name) == (404, "Lead")


def test_board_of_a_stranger_is_empty(sales: Sales):
    sales.deal("Crane")
    assert "Crane" not in get(sales, sales.stranger, "deals/").content.decode()


def test_board_for_htmx_is_the_board_alone(sales: Sales):
    html = get(sales, sales.rep, "deals/", **{"HX-Request": "true"}).content.decode()
    assert html.strip().startswith('<div class="board"')


def test_board_says_what_is_wrong_in_its_address(sales: Sales):
    for query, status in (("?colour=red", 422), ("?pipeline=nonsense", 404), ("?close_date=someday", 422)):
        assert get(sales, sales.rep, f"deals/{query}").status_code == status


def test_board_without_a_pipeline_offers_one_to_those_who_may(sales: Sales):
    with sales.org.system():
        from deals.models import Pipeline  # noqa: PLC0415 -- for this test only

        Pipeline.objects.update(deleted_at=timezone.now())
    assert "Set up a pipeline" in get(sales, sales.manager, "deals/").content.decode()
    html = get(sales, sales.rep, "deals/").content.decode()
    assert ("No pipeline yet" in html, "Set up a pipeline" in html) == (True, False)


def test_move_answers_the_place(sales: Sales):
    deal = sales.deal("Crane", amount=10_000_00)
    sales.age(deal, 20)
    answer = put_stage(sales, sales.rep, deal, "Qualified")
    found = answer.json()
    after = sales.fresh(deal)
    assert answer.status_code == 200
    assert found["moved"] == {
        "id": str(deal.pk), "stage": str(sales.stages["Qualified"].pk), "position": after.position, "rot": "",
        "age": "0 d",
    }  # fmt: skip
    assert set(found) == {"moved", "text", "undo"}  # what the heads say comes with the event
    assert found["text"] == "Crane moved to Qualified"
    undone = client_for(sales.rep).post(found["undo"], headers={"HX-Request": "true"})
    assert undone.status_code == 204
    assert json.loads(undone["HX-Trigger"])["deals:changed"]["deals"] == [str(deal.pk)]
    assert sales.fresh(deal).stage.name == "Lead"


def test_move_within_a_column_can_be_undone(sales: Sales):
    low, top = sales.deal("Silo"), sales.deal("Crane")
    found = put_stage(sales, sales.rep, top, "Lead", after=str(low.pk)).json()
    assert (found["text"], sales.column("Lead")) == ("Crane moved", ["Silo", "Crane"])
    undone = client_for(sales.rep).post(found["undo"], headers={"HX-Request": "true"})
    told = json.loads(undone["HX-Trigger"])
    assert (undone.status_code, sales.column("Lead")) == (204, ["Crane", "Silo"])
    assert told["toast"]["text"] == "Crane is back where it was"
    assert told["deals:changed"] == {"deals": [str(top.pk)], "columns": [str(sales.stages["Lead"].pk)]}
    again = client_for(sales.rep).post(found["undo"], headers={"HX-Request": "true"})
    assert (again.status_code, sales.column("Lead")) == (409, ["Crane", "Silo"])


def test_move_to_where_the_card_stands_says_nothing(sales: Sales):
    sales.deal("Silo")
    top = sales.deal("Crane")
    found = put_stage(sales, sales.rep, top, "Lead").json()
    assert (found["text"], found["undo"], sales.column("Lead")) == ("", "", ["Crane", "Silo"])
    won = sales.deal("Won", stage=sales.stages["Won"])
    found = put_stage(sales, sales.rep, won, "Won").json()
    assert (found["text"], found["undo"]) == ("", "")


def test_move_that_is_refused_says_why(sales: Sales):
    deal = sales.deal("Crane")
    answer = put_stage(sales, sales.rep, deal, "Lost")
    assert (answer.status_code, answer.json()["errors"]) == (422, {"reason": ["Choose or write a reason."]})
    old = put_stage(sales, sales.rep, deal, "Commit", version=7)
    assert (old.status_code, old.json()["code"]) == (409, "conflict")
    assert sales.fresh(deal).stage.name == "Lead"


@pytest.mark.parametrize("body", ["{", "[]", '{"stage": 5}', '{"before": "x"}', '{"version": "one"}'])
def test_move_with_a_senseless_body_is_refused(sales: Sales, body):
    deal = sales.deal("Crane")
    path = f"/w/{sales.org.slug}/deals/{deal.pk}/stage/"
    answer = client_for(sales.rep).put(path, body, content_type="application/json", headers=JSON)
    assert answer.status_code in (404, 422)
    assert sales.fresh(deal).version == 1


def test_changes_answer_cards_and_what_is_gone(sales: Sales):
    mine, theirs = sales.deal("Mine"), sales.deal("Theirs", by=sales.stranger)
    won = sales.deal("Won", stage=sales.stages["Won"])
    query = f"deals/board/changes/?pipeline={sales.pipeline.pk}&column={sales.stages['Commit'].pk}"
    query += "".join(f"&deal={pk}" for pk in (mine.pk, theirs.pk, won.pk))
    found = get(sales, sales.rep, query, **JSON).json()
    assert [(card["id"], card["position"], "Mine" in card["html"]) for card in found["cards"]] == [
        (str(mine.pk), mine.position, True)
    ]
    assert found["removed"] == [str(theirs.pk), str(won.pk)]
    assert {column["id"] for column in found["columns"]} == {
        str(sales.stages["Commit"].pk), str(sales.stages["Lead"].pk),
    }  # fmt: skip


def test_new_deal_by_its_form(sales: Sales):
    with sales.org.acting(sales.rep):
        account = Account.objects.create(name="Halden", owner=sales.rep)
    client, path = client_for(sales.rep), f"/w/{sales.org.slug}/deals/new/"
    values = {
        "name": "Crane", "stage": sales.stages["Proposal"].pk, "amount": "1,250.50", "currency": "USD",
        "owner": sales.rep.pk, "account": account.pk, "close_date": "2027-01-31",
    }  # fmt: skip
    assert client.get(path).status_code == 200
    answer = client.post(path, values)
    with sales.org.acting(sales.rep):
        deal = Deal.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/w/{sales.org.slug}/deals/{deal.pk}/")
    assert (deal.amount, deal.currency, deal.account_id, deal.stage_id) == (
        1250_50, "USD", account.pk, sales.stages["Proposal"].pk,
    )  # fmt: skip
    assert client.post(path, {**values, "currency": "JPY"}).status_code == 422
    wrong = client.post(path, {**values, "name": ""}, headers={"HX-Request": "true"})
    assert (wrong.status_code, 'aria-invalid="true"' in wrong.content.decode()) == (422, True)
    assert client_for(sales.reader).get(path).status_code == 403


def test_edit_form_refuses_an_old_version(sales: Sales):
    deal = sales.deal("Crane", amount=500)
    client, path = client_for(sales.rep), f"/w/{sales.org.slug}/deals/{deal.pk}/edit/"
    values = {
        "name": "Crane 2", "stage": deal.stage_id, "amount": "7", "currency": "EUR", "owner": sales.rep.pk,
        "version": 1,
    }  # fmt: skip
    assert client.post(path, values).status_code == 302
    again = client.post(path, {**values, "name": "Crane 3"})
    assert (again.status_code, "Somebody else changed this deal" in again.content.decode()) == (422, True)
    assert (sales.fresh(deal).name, sales.fresh(deal).amount) == ("Crane 2", 700)


def test_closing_pages(sales: Sales):
    deal = sales.deal("Crane")
    client, path = client_for(sales.rep), f"/w/{sales.org.slug}/deals/{deal.pk}/closure/"
    assert client.post(path, {"outcome": "lost"}).status_code == 422
    assert client.post(path, {"outcome": "lost", "reason": "No budget", "note": ""}).status_code == 302
    assert (sales.fresh(deal).status, sales.fresh(deal).close_reason) == ("lost", "No budget")
    assert client.delete(path).status_code == 302
    assert sales.fresh(deal).status == "open"
    assert client.post(path, {"outcome": "perhaps"}).status_code == 422
    assert client_for(sales.reader).post(path, {"outcome": "won"}).status_code == 404
    assert client_for(sales.stranger).post(path, {"outcome": "won"}).status_code == 404
    assert sales.fresh(deal).status == "open"


def test_list_shows_deals_with_their_stage(sales: Sales):
    sales.deal("Crane", amount=10_000_00, stage=sales.stages["Proposal"])
    html = get(sales, sales.rep, "deals/list/").content.decode()
    assert all(text in html for text in ("Crane", "Proposal", "€10,000", "€6,000", "Rep Lind"))
    assert "Crane" not in get(sales, sales.stranger, "deals/list/").content.decode()
    query = f"deals/list/?stage={sales.stages['Lead'].pk}&amount.min=1"
    assert "Crane" not in get(sales, sales.rep, query).content.decode()


def fill(sales: Sales) -> None:
    """300 cards in six columns, of all kinds."""
    with sales.org.acting(sales.rep) as acting:
        accounts = [Account.objects.create(name=f"Halden Logistics {i}", owner=sales.rep) for i in range(10)]
        rows = [
            {
                "name": f"Fleet telematics rollout {i}",
                "stage": sales.stages[stage].pk,
                "amount": 1_234_500 + i,
                "account": accounts[i % 10].pk,
                "close_date": timezone.localdate() + timedelta(days=i),
                "next_step": "Call procurement" if i % 3 else "",
                "next_step_at": timezone.now() + timedelta(days=i - 9) if i % 2 else None,
            }
            for stage in list(sales.stages)[:6]
            for i in range(55)
        ]
        create_deals(rows, acting=acting)


@pytest.fixture
def committed(transactional_db: None, entries: Any) -> Sales:
    """Committed, so that a request's transaction is one, and no savepoint that counts."""
    sales = make_sales()
    fill(sales)
    return sales


def test_board_of_300_cards_keeps_its_bars(committed: Sales):
    sales = committed
    for who in ("admin", "manager", "rep"):
        client = client_for(getattr(sales, who))
        with CaptureQueriesContext(connection) as caught:
            answer = client.get(f"/w/{sales.org.slug}/deals/")
        html = answer.content.decode()
        assert (html.count("<article"), html.count("more-cards")) == (300, 6)
        assert len(statements(caught)) <= 8
        assert len(answer.content) <= 160_000


def test_move_and_event_keep_their_bars(committed: Sales):
    sales = committed
    with sales.org.system():
        deal = Deal.objects.filter(stage=sales.stages["Lead"]).first()
    path = f"/w/{sales.org.slug}/deals"
    for who, stage in (("admin", "Commit"), ("manager", "Proposal"), ("rep", "Lead")):
        client, body = client_for(getattr(sales, who)), json.dumps({"stage": str(sales.stages[stage].pk)})
        with CaptureQueriesContext(connection) as caught:
            answer = client.put(
                f"{path}/{deal.pk}/stage/?pipeline={sales.pipeline.pk}", body, content_type="application/json",
                headers=JSON,
            )  # fmt: skip
        assert answer.status_code == 200
        assert len(statements(caught)) <= 12
        assert len(answer.content) <= 10_000
        query = f"pipeline={sales.pipeline.pk}&deal={deal.pk}&column={sales.stages['Lead'].pk}"
        with CaptureQueriesContext(connection) as caught:
            answer = client.get(f"{path}/board/changes/?{query}", headers=JSON)
        assert [card["id"] for card in answer.json()["cards"]] == [str(deal.pk)]
        assert len(statements(caught)) <= 8
        assert len(answer.content) <= 10_000
