"""What a piece of work that takes long has taken, and who does it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.people import Person
from crm import queries
from crm.tenancy.context import Actor, org_context

PATIENCE = 600.0  # seconds


@dataclass
class Job:
    """What a piece of work has taken. `broken` names the bars it breaks."""

    key: str
    label: str
    seconds: float
    cpu_seconds: float  # worker, relay and database
    rows: int
    done: int  # rows that were written
    bar_seconds: float
    broken: list[str] = field(default_factory=list)


def judge(job: Job, finished: bool) -> None:
    """Writes down what is wrong with a job: too slow, rows missing, not done."""
    checks: list[tuple[bool, str]] = [
        (finished, "did not end well"),
        (job.done == job.rows, f"wrote {job.done:,} of {job.rows:,} rows"),
        (job.seconds <= job.bar_seconds, f"{job.seconds:.0f} s, at most {job.bar_seconds:.0f}"),
    ]
    job.broken = [f"{job.label}: {text}" for good, text in checks if not good]


def actor_of(person: Person) -> Actor:
    """The member that a person is, with the reach they have now."""
    with org_context(Actor.system(person.org_id)):
        found = queries.member_by_id(person.member_id)
    assert found is not None
    return found.actor
