"""Delivery of the outbox: once, in order per record, through every failure."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Self
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from crm.events import Event, TryLater, emit, emit_batch, nudge, relay
from crm.events.relay import ATTEMPTS, BATCH, Relay, deliver_batch, deliver_due
from crm.models import OutboxEvent, Tag
from crm.tenancy import context
from tests.events.conftest import Ear
from tests.factories import Org, make_org
from tests.support.cluster import GIVEN_URLS, ROOT

pytestmark = pytest.mark.django_db(transaction=True)
Listen = Callable[..., Ear]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Event):
    """An event of these tests."""

    name: ClassVar[str] = "test.counted"
    number: int


def write(org: Org, *numbers: int, record: UUID | None = None) -> UUID:
    record = record or uuid4()
    with org.system():
        emit(*(Counted(record=record, number=number) for number in numbers))
    return record


def waiting(org: Org) -> list[tuple[int, int, bool]]:
    """(number, attempts, dead) of what is in the outbox."""
    with org.system():
        rows = OutboxEvent.objects.order_by("id")
        return [(row.payload["number"], row.attempts, row.dead_at is not None) for row in rows]


def make_due(org: Org) -> None:
    """As if the rest after a failure were over."""
    with org.system():
        OutboxEvent.objects.update(available_at=Now() - timedelta(seconds=1))


def test_event_is_delivered_once_with_who_did_it(listen: Listen) -> None:
    ear = listen("test.counted")
    org = make_org()
    rep = org.member("rep")
    record = uuid4()
    with org.acting(rep):
        emit(Counted(record=record, number=1))
    assert deliver_due() == {"delivered": 1}
    assert deliver_due() == {}
    [delivery] = ear.heard
    assert (delivery.org_id, delivery.name, delivery.record) == (org.id, "test.counted", record)
    assert delivery.payload == {"number": 1, "by": {"member": str(rep.id), "kind": "member", "change_set": None}}
    assert waiting(org) == []


def test_event_of_a_rolled_back_transaction_is_never_delivered(listen: Listen) -> None:
    ear = listen("test.counted")
    org = make_org()
    with org.system():
        emit(Counted(record=uuid4(), number=1))
        transaction.set_rollback(True)
    assert deliver_due() == {}
    assert ear.heard == []


def test_event_without_receivers_is_removed() -> None:
    org = make_org()
    write(org, 1)
    assert deliver_due() == {"delivered": 1}
    assert waiting(org) == []


def test_batch_event_names_at_most_a_thousand_records(listen: Listen) -> None:
    ear = listen("test.many")
    org = make_org()
    records = [uuid4() for _ in range(1500)]
    with org.system():
        emit_batch("test.many", records, source="a test")
    deliver_due()
    assert [len(delivery.payload["records"]) for delivery in ear.heard] == [1000, 500]
    assert [UUID(r) for delivery in ear.heard for r in delivery.payload["records"]] == records
    assert {delivery.payload["source"] for delivery in ear.heard} == {"a test"}


def test_receiver_acts_as_the_system_of_the_events_organisation(listen: Listen) -> None:
    seen = []
    ear = listen("test.counted")
    ear.fail = lambda _delivery: seen.append((context.current_actor().kind, context.current_org_id()))  # type: ignore[func-returns-value]
    one, two = make_org(), make_org()
    write(one, 1)
    write(two, 2)
    assert deliver_due() == {"delivered": 2}
    assert sorted(seen, key=str) == sorted([("system", one.id), ("system", two.id)], key=str)


def test_relay_connects_as_the_applications_role(listen: Listen) -> None:
    seen = []

    def ask(_delivery: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, session_user")
            seen.append(cursor.fetchone())

    listen("test.counted").fail = ask
    write(make_org(), 1)
    deliver_due()
    assert seen == [("keel_app", "keel_app")]


def test_failed_event_holds_back_its_record_and_no_other(listen: Listen) -> None:
    ear = listen("test.counted")
    ear.fail = lambda delivery: ValueError("no") if delivery.payload["number"] == 2 else None
    org = make_org()
    record = write(org, 1, 2, 3)
    write(org, 10, 11)
    assert deliver_due() == {"delivered": 3, "failed": 1, "held": 1}
    assert ear.numbers == [1, 10, 11]
    write(org, 4, record=record)
    assert deliver_due() == {}
    ear.fail = lambda _delivery: None
    make_due(org)
    assert deliver_due() == {"delivered": 3}
    assert ear.numbers == [1, 10, 11, 2, 3, 4]


def test_held_back_events_do_not_fill_the_batch(listen: Listen) -> None:
    ear = listen("test.counted")
    ear.fail = lambda delivery: ValueError("no") if delivery.payload["number"] == 0 else None
    org = make_org()
    write(org, *range(BATCH + 20))
    write(org, 1000)
    outcomes = deliver_due()
    assert (outcomes["failed"], outcomes["delivered"]) == (1, 1)
    assert ear.numbers == [1000]


def test_failure_undoes_what_the_receiver_wrote_and_keeps_what_others_wrote(listen: Listen) -> None:
    def writes(name: str, error: Exception | None) -> Callable[[object], Exception | None]:
        def write_tag(_delivery: object) -> Exception | None:
            Tag.objects.create(name=name)
            return error

        return write_tag

    first, second = listen("test.counted"), listen("test.counted")
    first.fail, second.fail = writes("kept", None), writes("undone", ValueError("broken"))
    org = make_org()
    write(org, 1)
    assert deliver_due() == {"failed": 1}
    with org.system():
        assert [tag.name for tag in Tag.objects.all()] == ["kept"]
        row = OutboxEvent.objects.get()
    assert (row.attempts, row.error, row.dead_at) == (1, "ValueError: broken", None)
    assert timedelta(seconds=1) < row.available_at - row.created_at < timedelta(seconds=4)


def test_new_attempt_calls_only_the_receivers_that_failed(listen: Listen) -> None:
    first, second = listen("test.counted"), listen("test.counted")
    second.fail = lambda _delivery: ValueError("not yet")
    org = make_org()
    write(org, 1)
    deliver_due()
    second.fail = lambda _delivery: None
    make_due(org)
    assert deliver_due() == {"delivered": 1}
    assert (first.numbers, second.numbers) == ([1], [1])


def test_receiver_that_breaks_the_transaction_does_not_take_others_along(listen: Listen) -> None:
    def break_it(_delivery: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    bad, good = listen("test.counted"), listen("test.counted")
    bad.fail = break_it
    org = make_org()
    write(org, 1)
    assert deliver_due() == {"failed": 1}
    assert good.numbers == [1]


def test_ten_failures_make_a_dead_letter_and_the_record_goes_on(listen: Listen) -> None:
    ear = listen("test.counted")
    ear.fail = lambda delivery: ValueError("never") if delivery.payload["number"] == 1 else None
    org = make_org()
    write(org, 1, 2)
    for _ in range(ATTEMPTS - 1):
        assert deliver_due() == {"failed": 1, "held": 1}
        make_due(org)
    assert deliver_due() == {"dead": 1, "held": 1}
    assert waiting(org) == [(1, 10, True), (2, 0, False)]
    assert deliver_due() == {"delivered": 1}
    assert ear.numbers == [2]
    assert waiting(org) == [(1, 10, True)]


def test_try_later_rests_without_counting_an_attempt(listen: Listen) -> None:
    ear = listen("test.counted")
    ear.fail = lambda _delivery: TryLater("the broker is down")
    org = make_org()
    write(org, 1)
    for _ in range(ATTEMPTS + 1):
        assert deliver_due() == {"postponed": 1}
        make_due(org)
    assert waiting(org) == [(1, 0, False)]
    ear.fail = lambda _delivery: None
    deliver_due()
    assert ear.numbers == [1]


def test_two_relays_at_once_keep_the_order_and_deliver_once(listen: Listen) -> None:
    ear = listen("test.counted")
    ear.fail = lambda _delivery: time.sleep(0.002)
    orgs = [make_org() for _ in range(3)]
    records = [write(org, *range(60)) for org in orgs for _ in range(2)]
    errors: list[BaseException] = []

    def run() -> None:
        try:
            while any(waiting(org) for org in orgs):
                deliver_due()
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    for record in records:
        assert [d.payload["number"] for d in ear.heard if d.record == record] == list(range(60))


def test_organisation_another_relay_works_on_is_left_alone(listen: Listen) -> None:
    ear = listen("test.counted")
    inside, leave = threading.Event(), threading.Event()

    def hold(_delivery: object) -> None:
        inside.set()
        leave.wait(20)

    ear.fail = hold
    org, other = make_org(), make_org()
    write(org, 1, 2)

    def first() -> None:
        deliver_batch(org.id)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    assert deliver_batch(org.id) == {}
    ear.fail = lambda _delivery: None
    write(other, 3)
    assert deliver_due() == {"delivered": 1}
    leave.set()
    thread.join(20)
    assert ear.numbers == [3, 1, 2]


def test_one_organisations_trouble_leaves_the_others_served(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    ear = listen("test.counted")
    one, two = make_org(), make_org()
    write(one, 1)
    write(two, 2)
    whole = deliver_batch

    def broken(org_id: UUID) -> object:
        if org_id == one.id:
            raise KeyError("a bug outside of any receiver")
        return whole(org_id)

    monkeypatch.setattr(relay, "deliver_batch", broken)
    assert deliver_due() == {"delivered": 1}
    assert ear.numbers == [2]


class Running:
    """A Relay in a thread of this process."""

    def __init__(self, sweep: float) -> None:
        self.relay = Relay(sweep=sweep)
        self.thread = threading.Thread(target=self.relay.run)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.relay.stopped = True
        nudge.client().publish(nudge.NUDGE_CHANNEL, b"1")
        self.thread.join(30)
        assert not self.thread.is_alive()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Waits for something; how long it took in seconds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it has not come true"
        time.sleep(0.01)
    return time.monotonic() - started


def test_nudge_wakes_the_relay_within_a_second(listen: Listen, valkey: object) -> None:
    ear = listen("test.counted")
    org = make_org()
    with Running(sweep=20):
        until(lambda: bool(nudge.client().pubsub_numsub(nudge.NUDGE_CHANNEL)[0][1]))
        time.sleep(0.3)  # the first sweep and the one after subscribing are over
        write(org, 1)
        assert until(lambda: ear.numbers == [1]) < 1


def test_sweep_finds_events_without_the_broker(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    ear = listen("test.counted")
    org = make_org()
    away = nudge.redis.Redis(unix_socket_path="/nonexistent/valkey.sock", retry=None)
    monkeypatch.setattr(nudge, "client", lambda: away)
    monkeypatch.setattr(nudge, "_quiet_until", 0.0)
    with pytest.MonkeyPatch.context() as patch:
        running = Running(sweep=0.2)
        running.thread.start()
        write(org, 1)
        until(lambda: ear.numbers == [1])
        # The broker is back: the relay subscribes at its next look.
        patch.undo()
        monkeypatch.undo()
        until(lambda: bool(nudge.client().pubsub_numsub(nudge.NUDGE_CHANNEL)[0][1]))
        running.__exit__()


def test_work_counts_only_when_the_database_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    write(make_org(), 1)
    beats: list[int] = []

    def away(*_: object) -> None:
        raise OperationalError("the connection was closed")

    def count(name: str) -> int:
        beats.clear()
        with monkeypatch.context() as patch:
            patch.setattr(name, away)
            with pytest.raises(OperationalError):
                deliver_due(worked=lambda: beats.append(1))
        return len(beats)

    assert count("crm.events.relay.queries.due_orgs") == 0
    assert count("crm.events.relay.deliver_batch") == 1  # it could look, and no more
    beats.clear()
    deliver_due(worked=lambda: beats.append(1))
    assert len(beats) == 2


def test_nudge_of_a_dead_broker_is_not_repeated_for_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Away:
        def publish(self, *_: object) -> None:
            calls.append(1)
            raise nudge.redis.ConnectionError("away")

    monkeypatch.setattr(nudge, "client", Away)
    monkeypatch.setattr(nudge, "_quiet_until", 0.0)
    nudge.nudge()
    nudge.nudge()
    assert calls == [1]


def test_one_transaction_nudges_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("crm.events.nudge.client", lambda: type("C", (), {"publish": lambda *_: calls.append(1)})())
    monkeypatch.setattr(nudge, "_quiet_until", 0.0)
    org = make_org()
    with org.system():
        emit(Counted(record=uuid4(), number=1))
        with transaction.atomic():
            emit(Counted(record=uuid4(), number=2))
        emit_batch("test.many", [uuid4()])
    assert calls == [1]


def start_relay(script: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    env = {**os.environ, GIVEN_URLS: "1", "TELL": str(tmp_path / "told"), "DATABASE_URL": os.environ["DATABASE_URL"]}
    return subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=env)


SLOW = """
import os, sys, time
import django
django.setup()
from crm.events import receives
from crm.events.relay import Relay
from crm.models import Tag
@receives("test.counted")
def slow(delivery):
    Tag.objects.create(name=f"half {delivery.payload['number']}")
    with open(os.environ["TELL"], "a") as told:
        told.write(f"{delivery.payload['number']}\\n")
    if delivery.payload["number"] == 2:
        time.sleep(60)
relay = Relay()
relay.watch_signals()
relay.run()
"""


def test_event_is_delivered_again_after_the_relay_was_killed(listen: Listen, tmp_path: Path) -> None:
    org = make_org()
    write(org, 1, 2, 3)
    told = tmp_path / "told"
    process = start_relay(SLOW, tmp_path)
    try:
        until(lambda: told.exists() and told.read_text() == "1\n2\n", 30)
    finally:
        process.kill()
        process.wait(20)
    ear = listen("test.counted")
    until(lambda: deliver_due()["delivered"] == 3)
    assert ear.numbers == [1, 2, 3]
    with org.system():
        assert Tag.objects.count() == 0  # what the killed one had half done is gone


def test_relay_command_ends_on_sigterm(listen: Listen, tmp_path: Path) -> None:
    org = make_org()
    env = {**os.environ, GIVEN_URLS: "1"}
    heartbeat = tmp_path / "heartbeat"
    command = [sys.executable, "manage.py", "relay", "--heartbeat", str(heartbeat)]
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        write(org, 1)
        until(lambda: waiting(org) == [], 30)
        until(heartbeat.exists)
        first = heartbeat.stat().st_mtime_ns
        until(lambda: heartbeat.stat().st_mtime_ns > first, 15)  # at each sweep, though nothing happens
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 2
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
