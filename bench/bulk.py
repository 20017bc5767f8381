"""Changing many records at once, and taking it back, measured as a whole: from asking for it to the job's end."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from bench.counters import CpuMeter
from bench.people import Person
from bench.timing import PATIENCE, Job, actor_of, judge
from contacts.models import Contact
from crm.actions.bulk import get_run, start_bulk
from crm.actions.undo import undo_change_set
from crm.enums import BulkStatus
from crm.models import BulkRun, Membership
from crm.records.selections import Selection
from crm.tenancy.context import Actor, org_context

RECORDS = 5_000
LOOK = 0.05  # seconds between two looks at a run


def assign(person: Person, meter: CpuMeter, *, records: int = RECORDS, bar: float = 3.0) -> Job:
    """Gives so many contacts to another member."""
    with org_context(actor_of(person)):
        other = Membership.objects.filter(active=True).values_list("pk", flat=True).first()
        ids = tuple(Contact.objects.exclude(owner_id=other).order_by("pk").values_list("pk", flat=True)[:records])

    def begin(acting: Actor) -> BulkRun:
        return start_bulk("contact", "assign", {"owner": str(other)}, Selection(ids), acting=acting)

    return _measured("bulk", f"Bulk assign of {records:,} contacts", begin, person, meter, bar)


def undo(person: Person, meter: CpuMeter, *, bar: float = 4.0) -> Job:
    """Takes back what `assign` has done."""
    with org_context(actor_of(person)):
        done = BulkRun.objects.filter(kind="assign", owner_id=person.member_id).order_by("-id").first()
    assert done is not None, "bulk runs before undo"
    change_set: UUID = done.change_set_id

    def begin(acting: Actor) -> BulkRun:
        return undo_change_set(change_set, acting=acting)

    return _measured("undo", f"Undo of {done.total:,} records", begin, person, meter, bar)


def _measured(
    key: str, label: str, begin: Callable[[Actor], BulkRun], person: Person, meter: CpuMeter, bar: float
) -> Job:
    before, started = meter.read(), time.monotonic()
    with org_context(actor_of(person)) as acting:
        run = begin(acting)
    while run.is_running and time.monotonic() - started < PATIENCE:
        time.sleep(LOOK)
        with org_context(actor_of(person)) as acting:
            run = get_run(run.pk, acting)
    seconds = time.monotonic() - started
    spent = meter.read() - before
    made = Job(key, label, round(seconds, 1), round(spent.background + spent.database, 1), run.total, run.changed, bar)
    judge(made, run.status == BulkStatus.DONE)
    return made
