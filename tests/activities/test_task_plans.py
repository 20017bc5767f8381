"""Lists of tasks and activities read what they show and little more, however much lies beside it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activities.models import Activity, Task
from contacts.models import Contact
from crm import access
from crm.launch.testcluster import ClusterInfo
from crm.records import listrows, lists, schema
from tests.activities.conftest import Desk
from tests.support.cluster import worker_database

pytestmark = pytest.mark.django_db(transaction=True)

MINE, OTHERS = 120, 10_000


@pytest.fixture
def full(real_desk: Desk, cluster: ClusterInfo) -> Desk:
    """The desk among ten thousand tasks and activities of somebody else."""
    desk = real_desk
    with desk.org.system():
        theirs = Contact.objects.create(first_name="Elsewhere", owner=desk.stranger)
        _fill(desk, OTHERS, desk.stranger, theirs)
        _fill(desk, MINE, desk.rep, desk.contact)
    # Statistics are the table's owner's to gather.
    with psycopg.connect(cluster.superuser_url(worker_database()), autocommit=True) as owner:
        owner.execute("ANALYZE activities_task, activities_activity, contacts_contact, deals_deal, contacts_account")
    return desk


def _fill(desk: Desk, count: int, owner: Any, contact: Contact) -> None:
    now = timezone.now()
    Task.objects.bulk_create(
        Task(title=f"Task {n}", owner=owner, contact=contact, due_at=now + dt.timedelta(minutes=n))
        for n in range(count)
    )
    kinds = ("note", "call", "system")
    Activity.objects.bulk_create(
        Activity(type=kinds[n % 3], body=f"Entry {n}", owner=owner, contact=contact,
                 occurred_at=now - dt.timedelta(minutes=n))
        for n in range(count)
    )  # fmt: skip


@contextmanager
def listed(desk: Desk, who: str, key: str, **params: str) -> Iterator[tuple[Any, str]]:
    """The page of a list, and the statement that read it."""
    with desk.org.acting(getattr(desk, who)) as actor:
        record_type = schema.record_type(key, actor)
        given = QueryDict(mutable=True)
        given.update(params)
        with CaptureQueriesContext(connection) as captured:
            page = lists.list_page(record_type, lists.parse_query(record_type, given, actor), actor)
        table = f'FROM "activities_{key}"'
        yield page, next(q["sql"] for q in captured.captured_queries if table in q["sql"])


def buffers(statement: str) -> int:
    """The pages that a statement reads, as PostgreSQL counts them."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    plan = json.loads(found) if isinstance(found, str) else found
    return int(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])


@pytest.mark.parametrize("key", ["task", "activity"])
def test_list_reads_a_page_and_not_the_table(full: Desk, key: str):
    for who in ("rep", "boss", "admin", "reader"):
        with listed(full, who, key) as (page, statement):
            assert len(page.rows) == 50
            first = buffers(statement)
        with listed(full, who, key, after=page.next_cursor) as (page, statement):
            assert len(page.rows) == (50 if who in ("admin", "reader") or key == "task" else 30)
            assert max(first, buffers(statement)) < OTHERS / 10, who


def test_list_of_who_manages_many_holds_the_same(full: Desk, monkeypatch: pytest.MonkeyPatch):
    for key in ("task", "activity"):
        with listed(full, "boss", key) as (page, _statement):
            found = [row["id"] for row in page.rows]
        with monkeypatch.context() as patch:
            patch.setattr(access, "MEMBERS_MOST", 1)
            listrows._plain_query.cache_clear()
            with listed(full, "boss", key) as (page, statement):
                assert [row["id"] for row in page.rows] == found
                assert "ARRAY" not in statement
        listrows._plain_query.cache_clear()
