"""How many rows a list has: exact to 10,000, estimated beyond."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import connection

from contacts.actions.contacts import create_contact
from contacts.values import NewContact
from crm.records import lists, schema
from crm.records.filters.text import parse
from crm.records.listquery import ListQuery
from crm.records.queries import estimate_rows
from crm.web import formats
from crm.web.pagination import Count
from tests.records.harbour import Harbour
from tests.support.cluster import ClusterInfo
from tests.support.web import client_for
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def many(port: Harbour, monkeypatch: pytest.MonkeyPatch, analyze: Any) -> Harbour:
    """400 ships of the rep and 200 of somebody else, beside those of another organisation; lists count to 100."""
    for harbour, owner, number in (
        (port, port.rep, 400),
        (port, port.stranger, 200),
        (other := Harbour(), other.rep, 300),
    ):
        with harbour.org.system():
            Vessel.objects.bulk_create(
                Vessel(name=f"Ship {n}", owner=owner, flag="no" if n % 4 == 0 else "pa") for n in range(number)
            )
    analyze("vessels_vessel")
    monkeypatch.setattr("crm.web.pagination.COUNT_CAP", 100)
    monkeypatch.setattr("crm.web.pagination.capped_count.__defaults__", (100,))
    monkeypatch.setattr("crm.records.lists.COUNT_CAP", 100)
    return port


@pytest.fixture
def analyze(cluster: ClusterInfo, worker_clone: str) -> Any:
    """Makes the database look at a table's values."""
    import psycopg  # noqa: PLC0415 -- for the superuser alone

    def run(table: str) -> None:
        with psycopg.connect(cluster.superuser_url(worker_clone), autocommit=True) as superuser:
            superuser.execute(f"ANALYZE {table}".encode())

    return run


def counted(port: Harbour, who: str, text: str = "") -> Count:
    with port.org.acting(getattr(port, who)) as actor:
        kind = schema.record_type("vessel", actor)
        return lists.list_count(kind, ListQuery(where=parse(text) if text else None), actor)


@pytest.mark.parametrize(("who", "number"), [("admin", 600), ("rep", 400), ("manager", 400), ("stranger", 200)])
def test_a_long_list_is_estimated_for_what_its_reader_sees(many: Harbour, who: str, number: int) -> None:
    assert counted(many, who) == Count(number, exact=False, estimated=True)


def test_a_filter_leaves_its_part_of_the_estimate(many: Harbour) -> None:
    found = counted(many, "admin", "flag:is:no")
    assert (found.estimated, 130 <= found.number <= 170) == (True, True)


def test_a_short_list_is_counted(many: Harbour) -> None:
    assert counted(many, "stranger", "flag:is:no") == Count(50, exact=True)


def test_without_statistics_there_is_no_estimate(port: Harbour) -> None:
    with port.org.acting(port.admin):
        assert estimate_rows("nothing_such") is None
    assert formats.how_many(Count(10_000, exact=False)) == "10,000+"


def test_statistics_themselves_stay_closed(many: Harbour) -> None:
    """They hold ids of members and organisations."""
    with many.org.acting(many.rep), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'vessels_vessel'")
        assert cursor.fetchone() == (0,)


def test_the_page_says_that_it_is_an_estimate(many: Harbour) -> None:
    page = client_for(many.admin).get(f"/w/{many.org.slug}/records/vessel/?block=count").content.decode()
    assert ("≈600" in page, "(estimated)" in page) == (True, True)


def test_a_search_that_finds_more_than_a_list_shows_says_so_and_all_of_it_can_be_chosen(
    port: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with port.org.acting(port.rep) as rep:
        for number in range(6):
            create_contact(NewContact(first_name=f"Nils{number}", last_name="Aalund Bakke"), acting=rep)
    monkeypatch.setattr("crm.records.lists.MATCHES", 4)
    client, start = client_for(port.rep), f"/w/{port.org.slug}"
    count = client.get(f"{start}/contacts/?q=bakke&block=count").content.decode()
    assert re.findall(r"<strong[^>]*>([^<]*)<", count) == ["4+"]
    assert "Select all 6" in client.get(f"{start}/records/contact/bulk/count/?q=bakke").content.decode()
    refused = client.get(f"{start}/records/contact/export/?q=bakke")
    assert (refused.status_code, "More than 4 records match" in html.unescape(refused.content.decode())) == (422, True)
    assert client.get(f"{start}/records/contact/export/?q=nils3").status_code == 200
    assert "Select all 1" in client.get(f"{start}/records/contact/bulk/count/?q=nils3").content.decode()
