"""Measuring one row for one role."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.client import Client, Request
from bench.counters import Cpu, CpuMeter, Speed, Statement, StatementMeter
from bench.people import Person
from bench.rows import Bar, Row, Scene

WARM_UP = 32  # requests before anything is measured: every connection reaches every web process
ROUNDS = 3
COUNTED = 40  # requests of the pass that counts statements
SETTLE = 1.0  # seconds that relay and worker get after a round of writes


@dataclass
class Measured:
    """What a row has cost for a role: milliseconds and counts per request; `broken` names the bars it breaks."""

    key: str
    label: str
    role: str
    state: str = "measured"  # or "absent" (no such page yet) or "failed" (then `note` says how)
    note: str = ""
    requests: int = 0
    cpu_ms: float = 0.0  # median of three rounds: web and database
    web_ms: float = 0.0
    database_ms: float = 0.0
    background_ms: float = 0.0  # live stream, worker, beat, relay, broker, and their part of the database
    rounds_ms: list[float] = field(default_factory=list)
    statements: float = 0.0
    bytes: int = 0
    pages: float = 0.0  # shared buffers touched, planning included
    wall_ms: float = 0.0  # median of the best round, one request at a time
    wall_p95_ms: float = 0.0
    floor_ms: float = 0.0  # CPU of the same read without a framework
    times: float = 0.0  # the CPU of the row that this one is held against; 0 without one
    slowness: float = 1.0  # how much longer the machine took for a fixed piece of work than at its best
    bar: dict[str, float | None] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times the floor it costs; 0 without a floor."""
        return self.cpu_ms / self.floor_ms if self.floor_ms else 0.0

    @property
    def best_ms(self) -> float:
        """What the machine would have taken at its best; for comparing runs. Bars are held against `cpu_ms`."""
        return self.cpu_ms / max(self.slowness, 1.0)


@dataclass(frozen=True)
class Round:
    """A series of requests: CPU per request, how long each took, how big it was on average."""

    cpu: Cpu
    seconds: list[float]
    size: int
    slowness: float


class Meter:
    """Sends a row's requests and reads what they have cost."""

    def __init__(self, client: Client, cpu: CpuMeter, statements: StatementMeter, speed: Speed, requests: int) -> None:
        self.client, self.cpu, self.statements, self.speed = client, cpu, statements, speed
        self.per_round = -(-requests // ROUNDS)

    def measure(self, row: Row, scene: Scene) -> tuple[Measured, list[Statement]]:
        """A row's figures, and the statements of its counting pass. Raises UnexpectedAnswerError."""
        requests = row.requests(scene)
        self.run(requests, WARM_UP)
        rounds = [self.run(requests, self.per_round, settle=row.kind == "write") for _n in range(ROUNDS)]
        self.statements.start()
        for _n in range(COUNTED):
            self.client.send(next(requests))
        seen = self.statements.stop()
        counted = [statement for statement in seen if statement.counts]
        best = min(rounds, key=lambda one: statistics.median(one.seconds))
        middle = sorted(rounds, key=lambda one: one.cpu.web + one.cpu.database)[ROUNDS // 2]
        measured = Measured(
            key=row.key,
            label=row.label,
            role=scene.role,
            requests=self.per_round * ROUNDS,
            cpu_ms=round((middle.cpu.web + middle.cpu.database) * 1000, 3),
            web_ms=round(middle.cpu.web * 1000, 3),
            database_ms=round(middle.cpu.database * 1000, 3),
            background_ms=round(statistics.median(one.cpu.background for one in rounds) * 1000, 3),
            rounds_ms=[round((one.cpu.web + one.cpu.database) * 1000, 3) for one in rounds],
            statements=round(sum(statement.calls for statement in counted) / COUNTED, 2),
            bytes=max(one.size for one in rounds),
            pages=round(sum(statement.pages for statement in seen) / COUNTED, 1),
            wall_ms=round(statistics.median(best.seconds) * 1000, 2),
            slowness=round(statistics.median(one.slowness for one in rounds), 2),
            wall_p95_ms=round(statistics.quantiles(best.seconds, n=20)[-1] * 1000, 2),
        )
        judge(measured, row.bar)
        return measured, seen

    def run(self, requests: Iterator[Request], number: int, *, settle: bool = False) -> Round:
        """Sends so many requests, one after the other."""
        prepared = [next(requests) for _n in range(number)]
        slowness = self.speed.now()
        before = self.cpu.read()
        answers = [self.client.send(request) for request in prepared]
        spent = self.cpu.read() - before
        background = spent.background
        if settle:
            time.sleep(SETTLE)
            background = (self.cpu.read() - before).background
        per = Cpu(spent.web / number, spent.database / number, background / number)
        slowness = (slowness + self.speed.now()) / 2
        size = sum(answer.size for answer in answers) // number
        return Round(per, [answer.seconds for answer in answers], size, slowness)


def judge_beside(measured: Measured, bar: Bar, others: Sequence[Measured]) -> None:
    """Holds a row against another one of the same role and run, both as the machine at its best would take them."""
    other = next((one for one in others if (one.key, one.role) == (bar.beside, measured.role)), None)
    if bar.times is None or other is None or not other.best_ms:
        return
    measured.bar["times"] = bar.times
    measured.times = round(measured.best_ms / other.best_ms, 2)
    if measured.times > bar.times:
        measured.broken.append("times")


def judge(measured: Measured, bar: Bar) -> None:
    """Writes down the bars of a row and which of them it breaks."""
    measured.bar = {"cpu_ms": bar.cpu_ms, "statements": bar.statements, "bytes": bar.bytes}
    measured.broken = [
        name for name, limit in measured.bar.items() if limit is not None and getattr(measured, name) > limit
    ]


def floor_requests(read: str, scene: Scene) -> Iterator[Request]:
    """The floor's requests for a read, in the same order of people and records."""
    if read == "one":
        while True:
            yield Request("/one")
    if read == "contact":
        while True:
            for item in scene.records.contacts(scene.role):
                yield Request(f"/contact/{scene.role}/{item.person.number}/{item.row['id']}")
    people: Iterator[Person] = scene.people()
    for person in people:
        yield Request(f"/{read}/{scene.role}/{person.number}")
