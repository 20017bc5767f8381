"""A list that is sorted by an organisation's own field reads what it shows and little more, by the field's index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact
from crm.actions.field_sorting import fill_part
from crm.actions.fields import FieldSettings, create_field
from crm.launch.testcluster import ClusterInfo
from crm.records import lists, schema
from crm.records.listquery import ListQuery
from tests.records.harbour import Harbour
from tests.records.yard import Yard
from tests.support.cluster import worker_database
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)

MINE, OTHERS = 120, 8_000


@pytest.fixture
def full(port: Harbour, cluster: ClusterInfo) -> Yard:
    """Ships of a rep among thousands of somebody else; one in four has a depth and a motto."""
    yard = Yard(port)
    with yard.org.system():
        for number, owner in ((OTHERS, port.stranger), (MINE, port.rep)):
            Vessel.objects.bulk_create(
                Vessel(name=f"Ship {n}", owner=owner, custom=_own(n), crew=n % 7) for n in range(number)
            )
    analyzed(cluster, "vessels_vessel")
    return yard


def analyzed(cluster: ClusterInfo, table: str) -> None:
    """Statistics are the table's owner's to gather."""
    with psycopg.connect(cluster.superuser_url(worker_database()), autocommit=True) as owner:
        owner.execute(f"VACUUM ANALYZE {table}".encode())


def _own(n: int) -> dict[str, Any]:
    return {"depth": n * 7919 % 1000, "motto": f"Ahoi {n * 7919 % 997}"} if n % 4 == 0 else {}


@contextmanager
def read(yard: Yard, who: str, sort: str, cursor: str = "") -> Iterator[tuple[Any, list[str]]]:
    """The page of a list, and the statements that read it."""
    with yard.org.acting(getattr(yard.port, who)) as actor:
        kind = schema.record_type("vessel", actor)
        with CaptureQueriesContext(connection) as captured:
            page = lists.list_page(kind, ListQuery(sort=sort, cursor=cursor), actor)
        yield page, [q["sql"] for q in captured.captured_queries if 'FROM "vessels_vessel"' in q["sql"]]


def plan(statement: str) -> Any:
    """The plan of a statement that was run."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def buffers(statement: str) -> int:
    """The pages that a statement reads, as PostgreSQL counts them."""
    found = plan(statement)
    return int(found["Shared Hit Blocks"] + found["Shared Read Blocks"])


def test_pages_are_read_by_the_index(full: Yard) -> None:
    sorts = {"depth": "n1", "-depth": "n1", "-motto": "t1", "-depth,name": "n1", "motto,-crew": "t1"}
    for who, (sort, slot) in product(("admin", "reader"), sorts.items()):
        cursor = ""
        for _page in range(3):
            with read(full, who, sort, cursor) as (page, statements):
                assert (len(page.rows), len(statements)) == (50, 1)
                assert f"vessel_sort_{slot}" in json.dumps(plan(statements[0]))
                assert buffers(statements[0]) < 400, sort
            cursor = page.next_cursor
        with read(full, who, sort, page.prev_cursor) as (_page, statements):
            assert f"vessel_sort_{slot}" in json.dumps(plan(statements[0]))


def test_rows_without_a_value_are_read_by_their_keys(full: Yard) -> None:
    for sort in ("depth", "-depth"):
        with full.org.acting(full.port.admin) as actor:
            kind = schema.record_type("vessel", actor)
            cursor = lists.list_page(kind, ListQuery(sort=sort), actor, size=OTHERS // 4 + 10).next_cursor
        with read(full, "admin", sort, cursor) as (page, statements):
            assert (len(page.rows), len(statements)) == (50, 2)  # the border
            assert sum(map(buffers, statements)) < 400
        with read(full, "admin", sort, page.next_cursor) as (page, statements):
            assert (len(page.rows), len(statements)) == (50, 1)
            assert buffers(statements[0]) < 200


def test_who_sees_a_part_reads_that_part(port: Harbour, cluster: ClusterInfo) -> None:
    with port.org.acting(port.admin) as acting:
        row = create_field("contact", FieldSettings(label="Depth", kind="number", sortable=True), acting=acting)
    with port.org.system() as system:
        assert [fill_part(row.pk, acting=system) for _part in range(2)] == [True, False]
        for number, owner in ((OTHERS, port.stranger), (MINE, port.rep)):
            Contact.objects.bulk_create(
                Contact(last_name=f"Berg {n}", owner=owner, custom={"depth": n} if n % 4 else {}) for n in range(number)
            )
    analyzed(cluster, "contacts_contact")
    for who, sort in product(("rep", "manager"), ("depth", "-depth", "-depth,name")):
        with port.org.acting(getattr(port, who)) as actor:
            kind, cursor = schema.record_type("contact", actor), ""
            # One member's rows with a value and those without are read together, others in two stretches.
            for number, most in ((50, 1), (50, 1 if who == "rep" else 2), (20, 1)):
                with CaptureQueriesContext(connection) as captured:
                    page = lists.list_page(kind, ListQuery(sort=sort, cursor=cursor), actor)
                statements = [q["sql"] for q in captured.captured_queries if 'FROM "contacts_contact"' in q["sql"]]
                assert (len(page.rows), len(statements)) == (number, most)
                assert sum(map(buffers, statements)) < OTHERS / 10, (who, sort)
                cursor = page.next_cursor


def test_contacts_are_read_by_the_index_of_their_last_activity(port: Harbour, cluster: ClusterInfo) -> None:
    now = timezone.now()
    with port.org.system():
        Contact.objects.bulk_create(
            Contact(last_name=f"No {n}", owner=port.rep, last_activity_at=now - timedelta(hours=n) if n % 3 else None)
            for n in range(4_000)
        )
        wanted = list(Contact.objects.filter(last_activity_at__isnull=False).order_by("-last_activity_at")[:100])
        without = Contact.objects.filter(last_activity_at=None).count()
    analyzed(cluster, "contacts_contact")
    with port.org.acting(port.admin) as actor:
        kind = schema.record_type("contact", actor)
        found, cursor = [], ""
        for _page in range(2):
            with CaptureQueriesContext(connection) as captured:
                page = lists.list_page(kind, ListQuery(sort="-last_activity_at", cursor=cursor), actor)
            (statement,) = [q["sql"] for q in captured.captured_queries if 'FROM "contacts_contact"' in q["sql"]]
            assert "contact_active" in json.dumps(plan(statement))
            assert buffers(statement) < 400
            found += [row["id"] for row in page.rows]
            cursor = page.next_cursor
        assert found == [contact.pk for contact in wanted]
        last = lists.list_page(kind, ListQuery(sort="last_activity_at"), actor, size=4_000 - without + 10)
        assert [row["last_activity_at"] for row in last.rows[-11:]].count(None) == 10
