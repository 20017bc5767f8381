"""Formulas in lists: those that are shown are worked out, with as many statements as for one record."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.actions.fields import FieldSettings, create_field
from crm.records import formulas
from tests.deals.conftest import Sales, make_sales
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)
PLACES = (
    "deals/list/?cols=where",
    "records/deal/export/?cols=where",
    "deals/list/?cols=where&layout=board&by=forecast_category",
)


def make_places() -> Sales:
    """An organisation with two formulas of deals, one over the stage."""
    sales = make_sales()
    with sales.org.acting(sales.admin) as admin:
        for label, text in (("Where", "concat(stage, ' / ', name)"), ("Loud", "upper(name)")):
            given = FieldSettings(label=label, kind="formula", formula=text, result="text")
            create_field("deal", given, acting=admin)
    return sales


def read(client: Any, path: str) -> tuple[str, int]:
    """What an answer says, and how many statements that took."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
        said = (b"".join(response.streaming_content) if response.streaming else response.content).decode()
    assert response.status_code == 200
    return said, len(captured)


@pytest.mark.parametrize("path", PLACES)
def test_formulas_over_a_stage_cost_the_same_however_many_records_there_are(path: str):
    sales = make_places()
    client, path = client_for(sales.rep), f"/w/{sales.org.slug}/{path}"
    sales.deal("First", stage=sales.stages["Proposal"])
    read(client, path)
    said, one = read(client, path)
    assert "Proposal / First" in said
    for number in range(7):
        sales.deal(f"More {number}")
    said, eight = read(client, path)
    assert ("Proposal / First" in said, said.count("Lead / More "), eight) == (True, 7, one)


def test_only_formulas_that_are_shown_are_worked_out(monkeypatch: pytest.MonkeyPatch):
    sales = make_places()
    for number in range(3):
        sales.deal(f"Deal {number}")
    worked: list[str] = []
    plain = formulas.result_of
    monkeypatch.setattr(formulas, "result_of", lambda text, *rest: (worked.append(text), plain(text, *rest))[1])
    client = client_for(sales.rep)
    for path in PLACES[:2]:
        worked.clear()
        read(client, f"/w/{sales.org.slug}/{path}")
        assert worked == ["concat(stage, ' / ', name)"] * 3
    worked.clear()
    read(client, f"/w/{sales.org.slug}/deals/list/?cols=amount")
    assert worked == []
