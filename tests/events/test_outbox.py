"""Events as they stand in the outbox."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.audit import change_set
from crm.enums import ChangeSetKind
from crm.events import Event, emit, emit_batch, enqueue_on_commit
from crm.events.event_queries import insert_events
from crm.models import OutboxEvent
from crm.tenancy.context import NoOrganization
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied(Event):
    """An event with every kind of plain value."""

    name: ClassVar[str] = "test.varied"
    other: UUID
    day: dt.date
    moment: dt.datetime
    names: tuple[str, ...]
    amount: int | None


def rows() -> list[dict[str, Any]]:
    return list(OutboxEvent.objects.order_by("id").values())


def test_hand_written_insert_writes_what_the_orm_would() -> None:
    """The equivalence that hand-written SQL owes."""
    org = make_org()
    record = uuid4()
    payload = {"text": 'it\'s 100 % \\ "quoted" ☂', "number": 1, "none": None}
    with org.system():
        OutboxEvent.objects.create(org_id=org.id, name="test.one", record=record, payload=payload)
        insert_events([(org.id, "test.one", record, json.dumps(payload))])
        by_orm, by_hand = rows()
    for later in ("id", "created_at", "available_at"):  # defaults of the database
        assert by_hand.pop(later) > by_orm.pop(later)
    assert by_hand == by_orm


def test_event_holds_its_plain_values_and_who_did_it() -> None:
    org = make_org()
    rep = org.member()
    record, other = uuid4(), uuid4()
    moment = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
    with org.acting(rep) as acting, change_set(ChangeSetKind.BULK_EDIT, "a test", acting=acting) as made:
        emit(Varied(record=record, other=other, day=moment.date(), moment=moment, names=("a", "b"), amount=None))
    with org.system():
        [row] = rows()
    assert (row["org_id"], row["name"], row["record"], row["attempts"]) == (org.id, "test.varied", record, 0)
    assert row["payload"] == {
        "other": str(other), "day": "2026-01-02", "moment": "2026-01-02T03:04:00+00:00", "names": ["a", "b"],
        "amount": None, "by": {"member": str(rep.id), "kind": "member", "change_set": str(made.id)},
    }  # fmt: skip


def test_any_number_of_events_is_one_statement() -> None:
    org = make_org()
    moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    events = [
        Varied(record=uuid4(), other=uuid4(), day=moment.date(), moment=moment, names=(), amount=n) for n in range(50)
    ]
    with org.system(), CaptureQueriesContext(connection) as captured:
        emit(*events)
    assert [query["sql"][:6] for query in captured if query["sql"] != "COMMIT"] == ["INSERT"]
    with org.system():
        assert [row["payload"]["amount"] for row in rows()] == list(range(50))


def test_nothing_to_tell_writes_nothing() -> None:
    org = make_org()
    with org.system():
        emit()
        emit_batch("test.many", [])
        assert rows() == []


def test_job_takes_the_organisation_along() -> None:
    org = make_org()
    contact = uuid4()
    with org.system():
        enqueue_on_commit("contacts.test", contact_id=contact)
        [row] = rows()
    assert (row["name"], row["record"]) == ("task", None)
    assert row["payload"] == {
        "task": "contacts.test", "kwargs": {"contact_id": str(contact), "org_id": str(org.id)},
    }  # fmt: skip


def test_event_outside_of_an_organisation_is_refused() -> None:
    with pytest.raises(NoOrganization):
        emit_batch("test.many", [uuid4()])
    with pytest.raises(NoOrganization):
        enqueue_on_commit("contacts.test")
