"""Changing many records at once leaves what changing them one after the other leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.models import Activity
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import AccountContact
from contacts.values import EmailValue, NewAccount, NewContact
from crm.actions.bulk import start_bulk
from crm.actions.fields import FieldSettings, Option, create_field
from crm.actions.sharing import share_record
from crm.lib.errors import CrmError
from crm.models import AuditEntry, OutboxEvent, Tag
from crm.records import bulk, schema
from crm.records.actions import split_custom, update_record
from crm.records.bulk_queries import write_rows
from crm.records.registry import registry
from crm.records.selections import Selection
from crm.records.undoing import text_of
from crm.tenancy.context import elevated
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Stage, StageChange
from tests.records.harbour import Harbour
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)

TYPES = ("contact", "account", "deal", "vessel")


@dataclass
class Fleet:
    """Records of every type: two of the rep, one shared with them to write, one of a stranger."""

    port: Harbour
    records: dict[str, list[Any]]
    stages: dict[str, UUID]
    accounts: list[UUID]
    tags: list[UUID]


def make_fleet() -> Fleet:
    port = Harbour()
    org = port.org
    with org.system() as system:
        create_default_pipeline(acting=system)
        stages = dict(Stage.objects.values_list("name", "pk"))
        tags = [Tag.objects.create(name=name).pk for name in ("Fair", "Expo")]
    made: dict[str, list[Any]] = {key: [] for key in TYPES}
    for n, owner in enumerate((port.rep, port.rep, port.stranger, port.stranger)):
        with org.acting(owner) as acting:
            account = create_account(NewAccount(name=f"Account {n}"), acting=acting)
            made["account"].append(account)
            email = (EmailValue(f"c{n}@quay.example"),)
            contact = NewContact(last_name=f"Contact {n}", emails=email, account_id=account.pk if n % 2 else None)
            made["contact"].append(create_contact(contact, acting=acting))
            made["deal"].append(
                create_deal({"name": f"Deal {n}", "stage": stages["Lead"], "amount": n * 100}, acting=acting)
            )
            made["vessel"].append(Vessel.objects.create(name=f"Vessel {n}", owner=owner, tags=[]))
            if n == 2:
                for key in ("contact", "account", "deal"):
                    share_record(key, made[key][-1].pk, member=port.rep.id, level="write", acting=acting)
    return Fleet(port, made, stages, [account.pk for account in made["account"]], tags)


def changes_for(fleet: Fleet, key: str) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is done to records of a type, by name."""
    port, stages = fleet.port, fleet.stages
    own: dict[str, dict[str, dict[str, Any]]] = {
        "contact": {
            "title": {"title": " Chief "}, "status": {"lead_status": "qualified"}, "wrong": {"lifecycle": "friend"},
            "flag": {"do_not_call": True}, "account": {"account": fleet.accounts[0]}, "apart": {"account": None},
            "hidden": {"account": fleet.accounts[3]}, "nameless": {"last_name": ""},
        },
        "account": {
            "city": {"city": "Oslo"}, "parent": {"parent": fleet.accounts[1]}, "hidden": {"parent": fleet.accounts[3]},
            "revenue": {"annual_revenue": 500}, "since": {"customer_since": date(2026, 1, 2)}, "nameless": {"name": ""},
        },
        "deal": {
            "won": {"stage": stages["Won"]}, "lost": {"stage": stages["Lost"]}, "step": {"stage": stages["Qualified"]},
            "reasoned": {"stage": stages["Lost"], "close_reason": "Price"}, "chance": {"probability": 60},
            "amount": {"amount": 7_00, "currency": "USD"}, "account": {"account": fleet.accounts[0]},
            "hidden": {"account": fleet.accounts[3]}, "forecast": {"forecast_category": "commit"},
        },
        "vessel": {"crew": {"crew": 9}, "flag": {"flag": "no"}, "launched": {"launched": date(2020, 5, 4)}},
    }  # fmt: skip
    return {
        **own[key], "stranger": {"owner": port.stranger.id}, "manager": {"owner": port.manager.id},
        "nobody": {"owner": UUID(int=7)}, "tags": {"tags": fleet.tags}, "grade": {"grade": "A"}, "bad": {"grade": "Z"},
    }  # fmt: skip


def add_grade(fleet: Fleet, key: str) -> None:
    with fleet.port.org.acting(fleet.port.admin) as admin:
        options = (Option(label="A", value="A"), Option(label="B", value="B"))
        create_field(key, FieldSettings(label="Grade", kind="choice", options=options), acting=admin)


# ---------------------------------------------------------------- what is left behind

CLOCKS = {"updated_at", "created_at", "stage_entered_at", "touched_at", "at", "occurred_at", "id", "seconds_in_stage"}
CHILDREN = (AccountContact, StageChange, Activity)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what the clock says."""
    if isinstance(row.get("data"), dict):
        row["data"] = {name: value for name, value in row["data"].items() if name != "seconds"}
    return {name: str(value) for name, value in row.items() if name not in CLOCKS}


def state(fleet: Fleet, key: str, since: tuple[int, int]) -> dict[str, Any]:
    """What is stored of a type, what the log says and what was told, since two ids."""
    with elevated("the whole organisation, for a comparison"):
        rows = {row["id"]: plain(row) for row in registry.get(key).model._base_manager.values()}
        children = {
            model.__name__: sorted((plain(row) for row in model._base_manager.values()), key=str) for model in CHILDREN
        }
        entries = AuditEntry.objects.filter(pk__gt=since[0]).exclude(table_name="activities_activity")
        log = sorted(
            (
                e.table_name,
                str(e.row_id) if e.operation == "U" else "",
                e.operation,
                str(e.version),
                str(sorted(e.diff or {})),
            )
            for e in entries
        )
        told = sorted(
            {
                (event.name, str(record))
                for event in OutboxEvent.objects.filter(pk__gt=since[1]).exclude(name__startswith="member.")
                for record in ([event.record] if event.record else event.payload["records"])
            }
        )
    return {"rows": rows, **children, "log": log, "told": told}


def marks() -> tuple[int, int]:
    last = [
        model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0 for model in (AuditEntry, OutboxEvent)
    ]
    return last[0], last[1]


def one_by_one(key: str, ids: Sequence[UUID], values: dict[str, Any], acting: Any) -> list[str]:
    refused = []
    for pk in sorted(ids):
        try:
            update_record(schema.record_type(key, acting), pk, values, acting=acting)
        except CrmError as error:
            refused.append(text_of(error))
    return refused


def together(key: str, ids: Sequence[UUID], values: dict[str, Any], acting: Any) -> list[str]:
    kind = schema.record_type(key, acting)
    given = split_custom(kind, values)
    edits = [bulk.Edit(record, given) for record in bulk.locked(kind, ids, acting)]
    bulk.change(kind, edits, acting)
    return [text_of(edit.error) for edit in edits if edit.error]


@pytest.mark.parametrize("key", TYPES)
def test_together_leaves_what_one_by_one_leaves(key: str):
    fleet = make_fleet()
    add_grade(fleet, key)
    changes = changes_for(fleet, key)

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        names=st.lists(st.sampled_from(sorted(changes)), min_size=1, max_size=2, unique=True),
        chosen=st.sets(st.integers(0, 3), min_size=1),
        who=st.sampled_from(["rep", "manager", "admin"]),
    )
    def check(names: list[str], chosen: set[int], who: str) -> None:
        values = {name: value for change in names for name, value in changes[change].items()}
        found = []
        for do in (one_by_one, together):
            with fleet.port.org.acting(getattr(fleet.port, who)) as acting:
                ids = [fleet.records[key][n].pk for n in chosen]
                ids = sorted(record.pk for record in bulk.locked(registry.get(key), ids, acting))
                since = marks()
                with transaction.atomic():
                    refused = do(key, ids, values, acting)
                    # Of two mistakes either may be told.
                    found.append((refused if len(names) == 1 else len(refused), state(fleet, key, since)))
                    transaction.set_rollback(True)
        assert found[0] == found[1]

    check()


def write_by_orm(model: Any, columns: Sequence[str], rows: Sequence[dict[str, Any]], now: Any) -> None:
    """What write_rows does, by the ORM."""
    for row in rows:
        record = model._base_manager.get(pk=row["id"])
        for name in columns:
            setattr(record, name, row[name])
        record.version, record.updated_at = record.version + 1, now
        model._base_manager.bulk_update([record], [*columns, "version", "updated_at"])


def test_rows_are_written_as_the_orm_would(port: Harbour):
    ships = [port.vessel(f"Ship {n}", crew=n) for n in range(3)]
    now, tag = timezone.now(), UUID(int=5)
    columns = ["name", "crew", "value", "launched", "seaworthy", "tags", "custom", "owner_id"]
    rows = [
        {"id": ship.pk, "name": f"Å '{n}'", "crew": None, "value": 10**12, "launched": date(2020, 1, n + 1),
         "seaworthy": False, "tags": [tag] if n else [], "custom": {"a": [1, None]}, "owner_id": port.stranger.pk}
        for n, ship in enumerate(ships)
    ]  # fmt: skip
    found = []
    for write in (lambda: write_rows(Vessel, columns, rows, now=now), lambda: write_by_orm(Vessel, columns, rows, now)):
        with port.org.system(), transaction.atomic():
            write()
            found.append(list(Vessel.objects.order_by("pk").values()))
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert {row["version"] for row in found[0]} == {2}


def test_rows_without_a_version_are_written(port: Harbour):
    with port.org.acting(port.rep) as rep:
        create_contact(
            NewContact(last_name="One", account_id=create_account(NewAccount(name="A"), acting=rep).pk), acting=rep
        )
        link = AccountContact.objects.get()
        assert write_rows(AccountContact, ["title"], [{"id": link.pk, "title": "Boss"}]) == 1
        assert AccountContact.objects.get().title == "Boss"


@pytest.mark.parametrize("key", TYPES)
def test_a_part_takes_a_fixed_number_of_statements(key: str, port: Harbour):
    org = port.org
    values = {"owner": str(port.admin.id)}
    counts = []
    for size in (3, 3, 30):
        with org.system() as system:
            if not Stage.objects.exists():
                create_default_pipeline(acting=system)
        with org.acting(port.rep) as rep:
            ids = []
            for n in range(size):
                match key:
                    case "contact":
                        made = create_contact(NewContact(last_name=f"C{n}"), acting=rep)
                    case "account":
                        made = create_account(NewAccount(name=f"A{n}"), acting=rep)
                    case "deal":
                        made = create_deal({"name": f"D{n}"}, acting=rep)
                    case _:
                        made = Vessel.objects.create(name=f"V{n}", owner=port.rep)
                ids.append(made.pk)
            with CaptureQueriesContext(connection) as captured:
                run = start_bulk(key, "assign", values, Selection(tuple(ids)), acting=rep)
            assert run.changed == size
            counts.append(len(captured))
    assert counts[1] == counts[2]
    assert counts[1] <= 40
