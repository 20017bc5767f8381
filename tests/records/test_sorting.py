"""Lists sorted by several fields: pages by keyset are slices of the whole list in order, there and back."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import pytest
from django.http import QueryDict

from crm.records import lists, schema
from crm.records.listquery import ListQuery, added, flipped
from tests.records.harbour import Harbour
from tests.records.test_views import get, heads
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)

CREWS, VALUES = (None, 3, 8), (None, 100, 200)
DAYS = (None, date(2026, 1, 1))


@pytest.fixture
def fleet(port: Harbour) -> Harbour:
    with port.org.system():
        Vessel.objects.bulk_create(
            Vessel(name=f"Ship {n % 5}", owner=port.rep, crew=crew, value=value, launched=day)
            for n, (crew, value, day, _again) in enumerate(product(CREWS, VALUES, DAYS, range(2)))
        )
    return port


def in_order(rows: list[Vessel], sort: str) -> list[Any]:
    """The ids in the order of a sort, made by a plain stable sort for each key from the last one on."""
    paths = {"name": "name_norm", "crew": "crew", "value": "value", "launched": "launched"}
    keys = [(paths[name.lstrip("-")], name.startswith("-")) for name in sort.split(",")]
    rows = sorted(rows, key=lambda row: row.pk, reverse=keys[-1][1])
    for path, down in reversed(keys):
        filled = [row for row in rows if getattr(row, path) is not None]
        empty = [row for row in rows if getattr(row, path) is None]
        rows = sorted(filled, key=lambda row: getattr(row, path), reverse=down) + empty
        if down:  # sorted() keeps the order of equals, turned round or not
            rows = _stable(filled, path) + empty
    return [row.pk for row in rows]


def _stable(rows: list[Vessel], path: str) -> list[Vessel]:
    values = sorted({getattr(row, path) for row in rows}, reverse=True)
    return [row for value in values for row in rows if getattr(row, path) == value]


@pytest.mark.parametrize(
    "sort",
    ["crew,value", "-crew,value", "crew,-value", "-crew,-value", "name,-launched", "launched,name", "-launched,crew,-value",
     "name,crew,value,launched", "value"],
)  # fmt: skip
@pytest.mark.parametrize("who", ["rep", "admin"])
def test_pages_are_slices_of_the_sorted_list_in_both_directions(fleet: Harbour, sort: str, who: str) -> None:
    with fleet.org.acting(getattr(fleet, who)) as actor:
        kind = schema.record_type("vessel", actor)
        expected = in_order(list(Vessel.objects.all()), sort)
        pages, cursor = [], ""
        while True:
            page = lists.list_page(kind, ListQuery(sort=sort, cursor=cursor), actor, size=7)
            pages.append([row["id"] for row in page.rows])
            back, cursor = page.prev_cursor, page.next_cursor
            if not cursor:
                break
        assert [pk for page in pages for pk in page] == expected
        for before in reversed(pages[:-1]):
            page = lists.list_page(kind, ListQuery(sort=sort, cursor=back), actor, size=7)
            assert [row["id"] for row in page.rows] == before
            back = page.prev_cursor
        assert back == ""


def test_a_cursor_of_another_sort_is_refused(fleet: Harbour) -> None:
    with fleet.org.acting(fleet.rep) as actor:
        kind = schema.record_type("vessel", actor)
        cursor = lists.list_page(kind, ListQuery(sort="crew,value"), actor, size=5).next_cursor
    assert get(fleet, fleet.rep, f"?sort=crew,value&after={cursor}").status_code == 200
    for other in ("crew", "-updated_at", "launched"):
        assert get(fleet, fleet.rep, f"?sort={other}&after={cursor}").status_code == 422
    assert get(fleet, fleet.rep, f"?sort=crew,value,name&after={cursor}").status_code == 422


@pytest.mark.parametrize(
    ("sort", "key", "alone", "too"),
    [
        ("", "crew", "-crew", "-crew"),
        ("-crew", "crew", "crew", "crew"),
        ("crew", "crew", "-crew", "-crew"),
        ("crew", "value", "-value", "crew,-value"),
        ("crew,-value", "value", "-value", "crew,value"),
    ],
)
def test_what_clicks_on_heads_lead_to(sort: str, key: str, alone: str, too: str) -> None:
    assert (flipped(sort, key), added(sort, key) if sort else f"-{key}") == (alone, too)


def test_heads_tell_direction_and_rank(fleet: Harbour) -> None:
    html = get(fleet, fleet.rep, "?sort=-crew,value&cols=crew,value,flag").content.decode()
    crew, value, flag = (
        html.partition(f'data-col="{key}"')[2].partition("</th>")[0] for key in ("crew", "value", "flag")
    )
    assert ('aria-sort="descending"' in crew, '<span class="agg num">1</span>' in crew) == (True, True)
    assert ('aria-sort="ascending"' in value, '<span class="agg num">2</span>' in value) == (True, True)
    assert "aria-sort" not in flag
    assert 'data-sort-too="?sort=-crew,-value&amp;cols=crew,value,flag"' in value


def test_links_keep_the_columns(fleet: Harbour) -> None:
    page = get(fleet, fleet.rep, "?cols=crew,value&sort=crew")
    following = page.content.decode().split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if (
        'rel="next"' in page.content.decode()
    ) else "?cols=crew,value"  # fmt: skip
    assert heads(get(fleet, fleet.rep, following.replace("&amp;", "&"))) == ["crew", "value"]
    assert QueryDict(following.replace("&amp;", "&")[1:])["cols"] == "crew,value"
