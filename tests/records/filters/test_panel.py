"""Whatever a filter can say, the panel shows and keeps: opened and sent as it is, it leads to the same filter."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from crm.records.filters.text import parse, print_tree
from tests.deals.conftest import make_sales
from tests.records.filters.test_pages import Harbour, controls
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)
GONE = "0199b1c6-0000-7000-8000-000000000000"


def kept(client: Any, base: str, text: str) -> str:
    """The filter to which the panel leads that was opened with this one, and is sent without a change."""
    html = client.get(f"{base}?filter={quote(text)}").content.decode()
    sent = "&".join(f"{name}={quote(value)}" for name, value in controls(html))
    response = client.get(f"{base}?{sent}&act=apply")
    assert response.status_code == 302, response.content.decode()[-3000:]
    return parse_qs(urlsplit(response["Location"]).query)["filter"][0]


@pytest.mark.parametrize(
    "text",
    [
        "account.parent.country:is:Norway",
        "account.parent.parent.name:contains:a,account.name:is:b",
        "or(some(deals,account.parent.industry:not_empty),not(account.parent.city:starts_with:o))",
        "some(accounts,link.role:is:champion,parent.parent.country:any_of:(NO,SE))",
        "created_at:between:(yesterday,today)",
        "created_at:between:('2026-01-31T14:00:00Z',now)",
        "created_at:gte:'2026-01-31T14:00:00Z'",
        "created_at:is:'2026-01-31T14:00:00Z',created_at:lt:2026-02-01,created_at:gt:yesterday",
        "first_name:contains:' x '",
        "first_name:is:'two\nlines'",
        "first_name:any_of:(' a','b\nc',d)",
        f"owner:any_of:(me,{GONE})",
        f"owner:is:{GONE}",
        f"tags:any_of:({GONE})",
        f"account:is:{GONE},account:none_of:({GONE})",
        "title:is:'<b>\"x\"</b>',title:is:'5'",
    ],
)  # fmt: skip
def test_contact_filters_are_kept(text: str) -> None:
    sales = make_sales()
    base = f"/w/{sales.org.slug}/records/contact/filter/"
    assert kept(client_for(sales.rep), base, text) == print_tree(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "launched:between:(yesterday,tomorrow),launched:is:today,launched:is_not:2026-01-01",
        "launched:between:(2026-01-01,today)",
        "crew:gt:0.0000001,value:lt:999999999999999.0,crew:is:-3",
        "flag:is_not:no,flag:none_of:(no,pa),seaworthy:is:true",
        "not(not(crew:empty)),none(sailors,or(name:is:a,vessel.crew:gt:3))",
    ],
)
def test_vessel_filters_are_kept(text: str) -> None:
    harbour = Harbour()
    base = f"/w/{harbour.org.slug}/records/vessel/filter/"
    assert kept(client_for(harbour.rep), base, text) == text


def test_panel_names_what_it_keeps() -> None:
    sales = make_sales()
    client, base = client_for(sales.rep), f"/w/{sales.org.slug}/records/contact/filter/"
    html = client.get(f"{base}?filter=account.parent.country:is:Norway").content.decode()
    assert '<option value="account.parent.country" selected>Account › Parent account › Country</option>' in html
    html = client.get(f"{base}?filter=owner:is:{GONE}").content.decode()
    assert f'<option value="{GONE}" selected>(not there any more)</option>' in html
    html = client.get(f"{base}?filter=account:is:{GONE}").content.decode()
    assert ("(not visible)" in html, f'value="{GONE}" checked' in html) == (True, True)


def test_path_that_the_reader_does_not_see_is_not_offered() -> None:
    harbour = Harbour()
    html = harbour.get(harbour.rep, "filter/?state=1&n0-0.field=owner.secret_code&n0-0.op=is&n0-0.value=x").content
    assert (b"secret_code" in html, b"Choose a field" in html) == (False, True)


def test_rows_beyond_the_most_are_an_error_and_stay() -> None:
    harbour = Harbour()
    rows = "&".join(f"n0-{n}.field=crew&n0-{n}.op=gt&n0-{n}.value={1000 + n}" for n in range(55))
    response = harbour.get(harbour.rep, f"filter/?state=1&n0.match=or&{rows}&act=apply")
    html = response.content.decode()
    assert response.status_code == 200
    assert "A filter has at most 50 conditions, this one 55." in html
    assert [f'value="{1000 + n}"' in html for n in range(55)] == [True] * 55
    fewer = harbour.get(harbour.rep, f"filter/?state=1&n0.match=or&{rows}&act=remove:0-54").content.decode()
    assert (fewer.count('class="frow"'), 'value="1054"' in fewer) == (54, False)
    counted = harbour.get(harbour.rep, f"filter/?state=1&n0.match=or&{rows}&act=count")
    assert (counted.status_code, counted.content) == (200, b"")
