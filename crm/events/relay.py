"""Delivers the outbox to receivers: at least once, in order per record.

Order: one relay at a time works on an organisation (an advisory lock of the transaction), and takes its events by id.
Ids follow the order of commits for one record, because actions lock the record before they emit. So any number of
relays may run, one organisation's events are in order whoever delivers them, and no relay waits for another.

At least once: receivers run in the transaction that removes the event. What they write is committed with the removal
or not at all; what they do elsewhere (a published message, a job sent) may happen twice.
"""

from __future__ import annotations

import contextlib
import logging
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from crm import queries
from crm.events import jobs  # noqa: F401 -- registers the receiver that hands jobs to Celery
from crm.events.nudge import Nudges
from crm.events.registry import Delivery, Receiver, TryLater, key_of, receivers_of
from crm.models import OutboxEvent
from crm.tenancy.context import Actor, org_context
from crm.web.metrics import DELIVERED

BATCH = 100  # events per transaction
ATTEMPTS = 10
SWEEP = 5.0  # seconds between two looks at the outbox when nobody nudges
ERROR_LENGTH = 2000
log = logging.getLogger(__name__)


def backoff(attempts: int) -> timedelta:
    """How long an event rests after so many failed attempts: 2 s, 4 s, ... 512 s; 17 minutes in all."""
    return timedelta(seconds=2**attempts)


class Batch:
    """Some events of one organisation on their way, inside its transaction."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._done: list[int] = []
        self._held: set[UUID] = set()

    def deliver(self, event: OutboxEvent) -> None:
        """Calls the receivers that have not had the event yet. An event whose record is held back waits."""
        if event.record in self._held:
            self.outcomes["held"] += 1
            return
        delivery = Delivery(event.id, event.org_id, event.name, event.record, event.payload)
        failures: list[Exception] = []
        received = list(event.received_by)
        for receiver in receivers_of(event.name):
            if key_of(receiver) in event.received_by:
                continue
            failure = _call(receiver, delivery)
            if failure is None:
                received.append(key_of(receiver))
            else:
                failures.append(failure)
        if failures:
            self._hold(event, received, failures)
        else:
            self._done.append(event.id)
            self.outcomes["delivered"] += 1

    def finish(self) -> None:
        """Removes what every receiver has had, in one statement."""
        if self._done:
            OutboxEvent.objects.filter(id__in=self._done).delete()

    def _hold(self, event: OutboxEvent, received: list[str], failures: list[Exception]) -> None:
        if event.record is not None:
            self._held.add(event.record)
        faults = [failure for failure in failures if not isinstance(failure, TryLater)]
        changes: dict[str, Any] = {"received_by": received, "error": _describe(faults or failures)}
        attempts = event.attempts + bool(faults)
        outcome = "failed" if faults else "postponed"
        if attempts >= ATTEMPTS:
            changes["dead_at"] = Now()
            outcome = "dead"
            log.error(
                "Event %s (%s) was given up after %s attempts: %s", event.id, event.name, attempts, changes["error"]
            )
        wait = backoff(attempts) if faults else timedelta(seconds=SWEEP)
        OutboxEvent.objects.filter(id=event.id).update(attempts=attempts, available_at=Now() + wait, **changes)
        self.outcomes[outcome] += 1


def _call(receiver: Receiver, delivery: Delivery) -> Exception | None:
    """Runs a receiver in a savepoint; gives back what it raised."""
    try:
        with transaction.atomic():
            receiver(delivery)
    except Exception as error:
        # Whatever a receiver raises, other events and records go on.
        if connection.needs_rollback:
            raise  # the database went away: nothing of this batch has happened
        if not isinstance(error, TryLater):
            log.warning("%s failed for event %s (%s)", key_of(receiver), delivery.id, delivery.name, exc_info=error)
        return error
    return None


def _describe(failures: list[Exception]) -> str:
    return "\n".join(f"{type(f).__name__}: {f}" for f in failures)[:ERROR_LENGTH]


def _due() -> list[OutboxEvent]:
    """The next events, without those of a record whose earlier event still rests after a failure."""
    alive = OutboxEvent.objects.filter(dead_at__isnull=True)
    resting = alive.filter(record=OuterRef("record"), id__lt=OuterRef("id"), available_at__gt=Now())
    due = alive.filter(~Exists(resting), available_at__lte=Now()).order_by("id")
    return list(due.select_for_update(skip_locked=True)[:BATCH])


def deliver_batch(org_id: UUID) -> Counter[str]:
    """Delivers up to BATCH events of an organisation in one transaction; counts them by outcome.

    "delivered", "failed" (to be tried again), "dead" (given up), "postponed" (TryLater) or "held" (behind a failed one
    of the same record). Counts nothing when another relay is at work there.
    """
    batch = Batch()
    with org_context(Actor.system(org_id)):
        if not queries.lock_outbox():
            return batch.outcomes
        for event in _due():
            batch.deliver(event)
        batch.finish()
    for outcome, count in batch.outcomes.items():
        DELIVERED.labels(outcome).inc(count)
    return batch.outcomes


def deliver_due(
    stopping: Callable[[], bool] = lambda: False, worked: Callable[[], None] = lambda: None
) -> Counter[str]:
    """Delivers everything that is due, organisation after organisation, a batch of each in turn.

    Calls `worked` whenever the database has done what was asked of it. Raises OperationalError or InterfaceError when
    the database goes away.
    """
    total: Counter[str] = Counter()
    orgs = queries.due_orgs("outbox")
    worked()
    while orgs:
        busy = []
        for org_id in orgs:
            if stopping():
                return total
            outcomes = _guarded(org_id)
            worked()
            total += outcomes
            if outcomes.total() >= BATCH:  # a full batch; whatever failed in it rests, so the next one is another
                busy.append(org_id)
        orgs = busy
    return total


def _guarded(org_id: UUID) -> Counter[str]:
    try:
        return deliver_batch(org_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # one organisation's trouble must not keep the others waiting
        log.exception("The outbox of organisation %s could not be worked on", org_id)
        return Counter()


class _Stopped(Exception):  # noqa: N818 -- a signal, not an error
    """SIGTERM or Ctrl-C came while the relay was waiting."""


class Relay:
    """The process: delivers, waits for a nudge or the next sweep, and ends between two batches when asked to.

    The file `heartbeat` is touched whenever it has worked: how old it is tells a health check whether it still does.
    """

    def __init__(self, sweep: float = SWEEP, heartbeat: Path | None = None) -> None:
        self.sweep, self.heartbeat = sweep, heartbeat
        self.stopped = False
        self._waiting = False
        self._nudges = Nudges()

    def watch_signals(self) -> None:
        """SIGTERM and SIGINT ask for an orderly end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Asks for the end; from a signal handler it also ends the waiting."""
        self.stopped = True
        if self._waiting:
            raise _Stopped

    def run(self) -> None:
        """Works until it is stopped."""
        try:
            while not self.stopped:
                self._deliver()
                self._wait()
        except _Stopped:
            pass
        finally:
            self._nudges.close()
            connection.close()

    def _deliver(self) -> None:
        try:
            deliver_due(lambda: self.stopped, self._beat)
        except (OperationalError, InterfaceError) as error:
            log.error("The database does not answer; trying again in %s s: %s", self.sweep, error)
            connection.close()

    def _beat(self) -> None:
        if self.heartbeat is not None:
            with contextlib.suppress(OSError):  # a full disk keeps no event waiting
                self.heartbeat.touch()

    def _wait(self) -> None:
        self._waiting = True
        try:
            if not self.stopped:
                self._nudges.wait(self.sweep)
        finally:
            self._waiting = False
