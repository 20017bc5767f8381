"""Statements that a session plans once."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from crm.models import Tag
from crm.tenancy.backend.base import direct_cursor, prepared_cursor
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = "SELECT name FROM crm_tag WHERE org_id = app_org() AND name >= %s ORDER BY name"


def names(start: str = "") -> list[str]:
    with prepared_cursor() as cursor:
        cursor.execute(NAMES, [start])
        return [name for (name,) in cursor.fetchall()]


def prepared() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
        return cursor.fetchall()


def test_prepared_statement_follows_the_organisation_and_who_acts():
    one, two = make_org(), make_org()
    for org, name in ((one, "North"), (two, "South")):
        with org.system():
            Tag.objects.create(name=name)
    for _again in range(8):  # past the point where one plan is kept for all values
        with one.system():
            assert names() == ["North"]
        with two.system():
            assert names() == ["South"]
            assert names("T") == []
        with transaction.atomic():
            assert names() == []


def test_prepared_statement_is_planned_by_the_session_and_kept():
    connection.close()
    org = make_org()
    for _again in range(3):
        with org.system():
            names()
    assert prepared() == [(NAMES.replace("%s", "$1"), 3)]


def test_prepared_statement_is_not_prepared_where_that_is_switched_off(settings):
    settings.DATABASE_PREPARE = False
    connection.close()
    org = make_org()
    with org.system():
        assert names() == []
    assert prepared() == []
    connection.close()


def test_prepared_statement_survives_a_rolled_back_transaction():
    connection.close()
    org = make_org()
    with org.system():
        names()
        transaction.set_rollback(True)
    with org.system():
        Tag.objects.create(name="North")
        assert names() == ["North"]


def test_prepared_statement_stands_in_the_log_of_queries():
    org = make_org()
    with org.system(), CaptureQueriesContext(connection) as queries:
        names("N")
    assert [query["sql"] for query in queries.captured_queries] == [NAMES.replace("%s", "'N'")]


VALUES = (
    "it's", "100 %", "back\\slash", "", None, True, 7, 1.5, Decimal("12.30"), dt.date(2026, 11, 22),
    dt.datetime(2026, 11, 22, 7, 30, tzinfo=dt.UTC), UUID(int=7), [UUID(int=8), UUID(int=9)], ["a", 'b"c', None], [1, 2],
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("cursor", [direct_cursor, prepared_cursor])
def test_values_come_back_as_they_were_given(cursor, value):
    kinds = {str: "text", bool: "bool", int: "int", float: "float8", Decimal: "numeric", dt.date: "date",
             dt.datetime: "timestamptz", UUID: "uuid"}  # fmt: skip
    one = value[0] if isinstance(value, list) else value
    kind = kinds.get(type(one), "text") + ("[]" if isinstance(value, list) else "")
    with transaction.atomic(), cursor() as asked:
        asked.execute(f"SELECT %s::{kind}, '%%', %s::text", [value, "%s"])
        assert asked.fetchone() == (value, "%", "%s")
        asked.execute(f"SELECT %(here)s::{kind}, %(there)s::text, %(here)s::{kind}", {"there": "%s", "here": value})
        assert asked.fetchall() == [(value, "%s", value)]


def test_direct_cursor_prepares_nothing_and_tells_of_errors():
    connection.close()
    with transaction.atomic(), direct_cursor() as asked:
        asked.execute("SELECT n FROM generate_series(1, %s) n", [3])
        assert ([row[0] for row in asked], asked.rowcount) == ([1, 2, 3], 3)
        assert prepared() == []
        with pytest.raises(DataError), transaction.atomic():
            asked.execute("SELECT %s::uuid", ["no id"])
