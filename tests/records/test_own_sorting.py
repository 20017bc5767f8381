"""Lists sorted by an organisation's own fields: pages are slices of the whole list in order, there and back."""

from __future__ import annotations

import datetime as dt
import threading
import time
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.actions.field_sorting import fill_part
from crm.actions.fields import takes_custom_fields
from crm.actions.sharing import share_record
from crm.launch.testcluster import ClusterInfo
from crm.models import AuditEntry
from crm.records import lists, schema
from crm.records.actions import update_record
from crm.records.listquery import ListQuery
from crm.records.registry import registry
from crm.records.sortslots import has_slots
from crm.tenancy.models import SortSlots
from tests.records.company import Company
from tests.records.harbour import Harbour
from tests.records.test_views import get
from tests.records.yard import RIGS, Yard
from tests.support.cluster import worker_database
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)
Ships = Sequence[tuple[UUID, dict[str, Any]]]


# ---------------------------------------------------------------- pages


def plain(text: str) -> bytes:
    """A text without case and accents, in byte order, for the letters that are tried here."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).lower().encode()


RANKS = {
    "motto": plain,
    "depth": float,
    "built": dt.date.fromisoformat,
    "rig": [option.label.lower() for option in RIGS].index,
}


def in_order(ships: Ships, sort: str) -> list[UUID]:
    """Ids by one stable sort for each key from the last one on; ids in the direction of the last key."""
    names = [(name.lstrip("-"), name.startswith("-")) for name in sort.split(",")]
    rows = sorted(ships, key=lambda ship: ship[0], reverse=names[-1][1])
    for key, down in reversed(names):
        ranks = {pk: RANKS[key](own[key]) for pk, own in rows if key in own}
        filled = [
            row for rank in sorted(set(ranks.values()), reverse=down) for row in rows if ranks.get(row[0]) == rank
        ]
        rows = filled + [row for row in rows if row[0] not in ranks]
    return [pk for pk, _own in rows]


def walked(kind: Any, sort: str, actor: Any, size: int) -> tuple[list[list[UUID]], list[list[UUID]]]:
    """The pages of a list from the first to the last, and those on the way back."""
    there, back, cursor, before = [], [], "", ""
    while cursor or not there:
        page = lists.list_page(kind, ListQuery(sort=sort, cursor=cursor), actor, size=size)
        there.append([row["id"] for row in page.rows])
        cursor, before = page.next_cursor, page.prev_cursor
    while before:
        page = lists.list_page(kind, ListQuery(sort=sort, cursor=before), actor, size=size)
        back.append([row["id"] for row in page.rows])
        before = page.prev_cursor
    return there, back


own_values = st.fixed_dictionaries(
    {},
    optional={
        "motto": st.sampled_from(["Ahoi", "ahoi", "Äpfel", "Åland", "zu See", "Zürich", "1st"]),
        "depth": st.sampled_from([-2, 0, 0.5, 3, 10**14]),
        "built": st.sampled_from(["1899-12-31", "2026-01-01", "2026-02-03"]),
        "rig": st.sampled_from(["sloop", "ketch", "brig"]),
    },
)
sorts = st.lists(st.sampled_from(["motto", "depth", "built", "rig"]), min_size=1, max_size=3, unique=True).flatmap(
    lambda keys: st.tuples(*(st.sampled_from([key, f"-{key}"]) for key in keys)).map(",".join)
)


@given(rows=st.lists(st.tuples(own_values, st.booleans()), max_size=14), sort=sorts)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_are_slices_of_one_sort_in_both_directions(yard: Yard, rows: list[Any], sort: str) -> None:
    port = yard.port
    with yard.org.system():
        Vessel.everything.all().delete()
        ships = [Vessel(name="Aurora", owner=port.rep if mine else port.stranger, custom=own) for own, mine in rows]
        Vessel.objects.bulk_create(ships)
    for who in (port.admin, port.rep, port.manager):
        seen = [(ship.pk, ship.custom) for ship in ships if who is port.admin or ship.owner_id == port.rep.pk]
        with yard.org.acting(who) as actor:
            there, back = walked(schema.record_type("vessel", actor), sort, actor, size=3)
        assert [pk for page in there for pk in page] == in_order(seen, sort)
        assert back == list(reversed(there[:-1]))


def test_shared_records_stand_among_ones_own(company: Company) -> None:
    contacts = Shared(company)
    assert contacts.listed("score_2") == [contacts.own, contacts.shared, contacts.empty]
    assert contacts.listed("-score_2") == [contacts.shared, contacts.own, contacts.empty]


class Shared:
    """A rep's contacts, one of them an admin's that is shared."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.row = company.add("Score 2", "number", sortable=True)
        Yard.fill(company, self.row)  # type: ignore[arg-type]  # both have an organisation
        self.own = company.contact(score_2=1).pk
        contact = company.contact("admin", score_2=2)
        self.shared = contact.pk
        self.empty = company.contact().pk
        company.contact("admin", score_2=0)
        with company.acting("admin") as acting:
            share_record("contact", contact.pk, member=company.members["rep"].pk, acting=acting)

    def listed(self, sort: str) -> list[UUID]:
        with self.company.acting("rep") as actor:
            page = lists.list_page(schema.record_type("contact", actor), ListQuery(sort=sort), actor)
        return [row["id"] for row in page.rows]


def test_a_list_is_at_most_one_statement_more(yard: Yard) -> None:
    for n in range(60):
        yard.ship(depth=n) if n % 2 else yard.ship()
    queries = ("?sort=name", "?sort=depth", "?sort=-depth,name", "?sort=name&q=Aur", "?sort=depth&q=Aur")
    # One member's own rows are read together, with a value and without.
    for member, more in ((yard.port.rep, 0), (yard.port.admin, 1)):
        get(yard.port, member, "?sort=launched")
        counts = []
        for query in queries:
            with CaptureQueriesContext(connection) as captured:
                response = get(yard.port, member, query)
            assert response.status_code == 200
            counts.append(len([q for q in captured.captured_queries if "vessels_vessel" in q["sql"]]))
        assert counts[1:3] == [counts[0] + more] * 2
        assert counts[4] == counts[3] + more


def test_filters_search_and_other_sorts_go_with_it(yard: Yard) -> None:
    shallow, deep, none = yard.ship(depth=3, motto="Ahoi"), yard.ship(depth=30, motto="Ahoi"), yard.ship(motto="Ahoi")
    yard.ship(depth=7)
    with yard.org.acting(yard.port.rep) as actor:
        kind = schema.record_type("vessel", actor)
        for address in ("sort=-depth&motto=Ahoi", "sort=name,-depth&motto=Ahoi", "sort=-depth&q=aur&motto=Ahoi"):
            query = lists.parse_query(kind, QueryDict(address), actor)
            rows = lists.list_page(kind, query, actor).rows
            assert [row["id"] for row in rows] == [deep.pk, shallow.pk, none.pk]


def test_heads_offer_the_sort_and_exports_and_boards_have_it(yard: Yard) -> None:
    first, second, third = yard.ship(depth=3, rig="brig"), yard.ship(depth=1, rig="brig"), yard.ship(rig="brig")
    page = get(yard.port, yard.port.rep, "?cols=depth,motto&sort=depth").content.decode()
    head = page.partition('data-col="depth"')[2].partition("</th>")[0]
    assert ('aria-sort="ascending"' in head, "sort=-depth" in head) == (True, True)
    response = get(yard.port, yard.port.rep, "?sort=depth", "records/vessel/export/")
    rows = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    ids = [second.pk, first.pk, third.pk]
    assert [row.split(",")[0] for row in rows[1:]] == [str(pk) for pk in ids]
    assert not [name for name in Vessel.SLOT_COLUMNS if name in rows[0]]
    board = get(yard.port, yard.port.rep, "?layout=board&by=rig&sort=depth").content.decode()
    assert sorted(ids, key=lambda pk: board.index(f'data-id="{pk}"')) == ids


# ---------------------------------------------------------------- columns


VALUES = {
    "text": ("Éclair Œuvre", "eclair oeuvre"),
    "email": ("Ada@Example.org", "ada@example.org"),
    "phone": ("+4722555000", "+4722555000"),
    "url": ("https://Example.org", "https://example.org"),
    "number": (-2.5, -2.5),
    "percent": (40, 40.0),
    "money": ({"amount": 125_000, "currency": "EUR"}, 125_000.0),
    "date": ("1970-03-01", 59.0),
    "datetime": ("1970-01-01T01:00:05Z", 3605.0),
    "checkbox": (True, 1.0),
    "choice": ("brig", 2.0),
}


@pytest.mark.parametrize("kind", VALUES)
def test_trigger_and_job_agree(port: Harbour, kind: str) -> None:
    yard = Yard.__new__(Yard)
    yard.port, yard.org = port, port.org
    value, expected = VALUES[kind]
    row = yard.add("Own", kind, sortable=False)
    before, empty = yard.ship(own=value), yard.ship(other="x")
    assert yard.columns(before) == {}
    row = yard.change(row)
    yard.fill(row)
    column = f"sort_{row.sort_slot}"
    assert yard.columns(before) == yard.columns(yard.ship(own=value)) == {column: expected}
    assert yard.columns(empty) == {}
    for wrong in (
        "never",
        {"amount": "x"},
        [1],
        "infinity",
        "2026-02-31",
        7 if kind in ("text", "choice") else "brig2",
    ):
        left = yard.columns(yard.ship(own=wrong))
        assert left == ({column: str(wrong)} if expected == str(expected) and isinstance(wrong, str) else {})


def test_every_type_that_takes_fields_can_be_sorted_by_them() -> None:
    types = {kind.model._meta.db_table: kind for kind in registry if takes_custom_fields(kind)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname::text, tgargs FROM pg_trigger WHERE NOT tgisinternal")
        triggers = {(table, name): bytes(args).decode().split("\0") for table, name, args in cursor.fetchall()}
    filled = {
        (table, f"sort_slots_{event}"): kind.key for table, kind in types.items() for event in ("insert", "update")
    }
    assert {place: args[0] for place, args in triggers.items() if place[1].startswith("sort_slots")} == filled
    for table, kind in types.items():
        assert has_slots(kind)
        assert set(SortSlots.SLOT_COLUMNS) <= set(triggers[table, "audit_update"][0].strip("{}").split(","))
        indexes = {index.name.partition("_sort_")[2] for index in kind.model._meta.indexes}
        assert indexes >= {*SortSlots.TEXT_SLOTS, *SortSlots.NUMBER_SLOTS}


def test_a_change_of_values_moves_the_record(yard: Yard) -> None:
    first, second = yard.ship(depth=1), yard.ship(depth=2)
    with yard.org.acting(yard.port.rep) as actor:
        update_record(schema.record_type("vessel", actor), first.pk, {"depth": 3}, acting=actor)
    assert yard.sorted_ids("depth") == [second.pk, first.pk]
    with yard.org.acting(yard.port.rep) as actor:
        update_record(schema.record_type("vessel", actor), second.pk, {"depth": ""}, acting=actor)
    assert (yard.sorted_ids("-depth"), yard.columns(second)) == ([first.pk, second.pk], {})


def test_the_job_waits_for_who_wrote_before_the_column_was_given(yard: Yard, cluster: ClusterInfo) -> None:
    """What they write is in a transaction that the job would not see yet."""
    row = yard.change(yard.rows["depth"], sortable=False)
    ship = yard.ship()
    filled = threading.Event()

    def fill() -> None:
        yard.fill(row)
        filled.set()
        connection.close()

    job = threading.Thread(target=fill)
    mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    waiting = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {mine}"
    with psycopg.connect(cluster.superuser_url(worker_database())) as writer:
        writer.execute("UPDATE vessels_vessel SET custom = '{\"depth\": 6}' WHERE id = %s", [ship.pk])
        row = yard.change(row)
        job.start()
        deadline = time.monotonic() + 20
        while not filled.is_set() and writer.execute(waiting).fetchone() == (0,) and time.monotonic() < deadline:
            pass
        assert not filled.is_set()
        writer.commit()
    job.join(timeout=20)
    assert (filled.is_set(), yard.columns(ship)) == (True, {"sort_n1": 6.0})


def test_the_job_s_wait_is_none_for_rows_that_somebody_holds(yard: Yard, cluster: ClusterInfo) -> None:
    """Who writes locks a row first and waits for the job's lock then: waiting for the row as well, it would be a ring."""
    row = yard.change(yard.rows["depth"], sortable=False)
    ship = yard.ship()
    row = yard.change(row)
    with psycopg.connect(cluster.superuser_url(worker_database())) as writer:
        writer.execute("SELECT FROM vessels_vessel WHERE id = %s FOR NO KEY UPDATE", [ship.pk])
        with yard.org.system() as system:
            assert fill_part(row.pk, acting=system)
        writer.execute("UPDATE vessels_vessel SET custom = '{\"depth\": 6}' WHERE id = %s", [ship.pk])
    yard.fill(row)
    assert yard.columns(ship) == {"sort_n1": 6.0}


def test_long_texts_are_cut(yard: Yard) -> None:
    assert yard.columns(yard.ship(motto="Å" * 500)) == {"sort_t1": "a" * 100}


def test_columns_are_in_no_log_and_move_no_version(yard: Yard) -> None:
    row = yard.change(yard.rows["depth"], sortable=False)
    ship = yard.ship(depth=4)
    yard.fill(yard.change(row))
    with yard.org.system():
        assert yard.columns(ship) == {"sort_n1": 4.0}
        assert (yard.port.fresh(ship).version, yard.port.fresh(ship).updated_at) == (1, ship.updated_at)
        assert AuditEntry.objects.filter(row_id=ship.pk).exclude(operation="I").count() == 0
        Vessel.objects.filter(pk=ship.pk).update(custom={"depth": 5})
        entry = AuditEntry.objects.get(row_id=ship.pk, operation="U")
        assert entry.diff == {"custom": [{"depth": 4}, {"depth": 5}]}
        logged = AuditEntry.objects.filter(table_name="crm_customfield", operation="U").values_list("diff", flat=True)
        assert {key for diff in logged for key in diff} == {"sort_slot"}


def test_saving_a_record_never_writes_the_columns(yard: Yard) -> None:
    ship = yard.ship(depth=4)
    with yard.org.system():
        stale = Vessel.objects.get(pk=ship.pk)
        Vessel.objects.filter(pk=ship.pk).update(custom={"depth": 9})
        stale.name = "Borealis"
        stale.save(update_fields=["name"])
        Vessel.objects.filter(pk=ship.pk).update(sort_n1=77.0, crew=1)
    assert yard.columns(ship) == {"sort_n1": 9.0}
