"""The pages of deals, by the test client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.deals.conftest import Sales
from tests.support.web import client_for


def open_page(sales: Sales, member: Any, path: str, **headers: str) -> Any:
    return client_for(member).get(f"/w/{sales.org.slug}/{path}", headers=headers)


@pytest.mark.parametrize("who", ["admin", "manager", "rep"])
def test_board_shows_cards_and_what_can_be_done(sales: Sales, who):
    sales.deal("Crane <b>retrofit</b>", amount=12_000_00)
    answer = open_page(sales, getattr(sales, who), "deals/")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Crane &lt;b&gt;retrofit&lt;/b&gt;" in html
    assert "data-editable" in html
    assert "€12,000" in html
