"""One run: servers up, every row for every role, servers down, results written."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Collection
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.client import Client, UnexpectedAnswerError
from bench.cluster import Cluster
from bench.counters import CpuMeter, Speed, Statement, StatementMeter, pss, tree
from bench.jobs import JOBS
from bench.load import Loaded
from bench.measure import COUNTED, ROUNDS, Measured, Meter, floor_requests, judge_beside
from bench.people import ROLES, Records, sign_in, write_floor_actors
from bench.rows import ALL_PSS, PSS_REQUESTS, ROWS, WEB_PSS, Row, Scene
from bench.scale import Scale
from bench.searching import Searched, measure_search
from bench.searching import line as search_line
from bench.servers import Servers
from bench.timing import Job

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What a run is asked for. `requests` is how many each row gets for each role, warm-up not counted."""

    requests: int = 240
    rows: Collection[str] = ()
    roles: Collection[str] = ROLES
    jobs: Collection[str] = ()
    show_statements: bool = False


@dataclass
class Result:
    """Everything a run has found."""

    size: str
    commit: str
    dirty: bool
    at: str
    machine: dict[str, Any]
    rows: list[Measured] = field(default_factory=list)
    select_1_ms: float = 0.0
    memory: dict[str, Any] = field(default_factory=dict)  # after the requests that its bar names
    later: dict[str, Any] = field(default_factory=dict)  # after all of them
    jobs: list[Job] = field(default_factory=list)
    searches: list[Searched] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        """The broken bars, in words."""
        found = [f"{row.label} ({row.role}): {', '.join(row.broken)}" for row in self.rows if row.broken]
        found += [f"{row.label} ({row.role}): {row.note}" for row in self.rows if row.state == "failed"]
        found += [text for job in self.jobs for text in job.broken]
        found += [f"Search, {one.kind} ({one.role}): {', '.join(one.broken)}" for one in self.searches if one.broken]
        return found + judge_memory(self.memory)

    def save(self, directory: Path) -> Path:
        """Writes the result as JSON; the name says when, what and how big."""
        directory.mkdir(parents=True, exist_ok=True)
        commit = self.commit + ("-dirty" if self.dirty else "")
        path = directory / f"{self.at[:16].replace(':', '')}-{commit}-{self.size}.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Result:
        """A result that was saved."""
        values = json.loads(path.read_text(encoding="utf-8"))
        rows = [Measured(**row) for row in values["rows"]]
        jobs = [Job(**job) for job in values.get("jobs", [])]  # older results have none
        searches = [Searched(**one) for one in values.get("searches", [])]
        return cls(**{**values, "rows": rows, "jobs": jobs, "searches": searches})


def run(cluster: Cluster, scale: Scale, wanted: Wanted, say: Say) -> Result:
    """Measures. The cluster runs and is prepared, and Django is set up for its database."""
    now = dt.datetime.now(dt.UTC).isoformat()
    result = Result(scale.name, *commit(cluster.checkout.root), at=now, machine=machine())
    servers = Servers(cluster)
    people = sign_in(scale)
    actors = write_floor_actors(people, cluster.var / "floor.json")
    url = cluster.url("super", Loaded.COPY)
    records = Records(url, people)
    with (
        servers.running(actors),
        psycopg.connect(url, autocommit=True, application_name="bench") as monitor,
        closing(StatementMeter(url)) as statements,
        closing(Client(servers.port)) as client,
        closing(Client(servers.floor_port)) as bare,
    ):
        cpu = CpuMeter(servers.pid("web"), cluster.postmaster, servers.background, monitor)
        speed = Speed(cluster.checkout.var / "bench" / "speed")
        meter = Meter(client, cpu, statements, speed, wanted.requests)
        floor_cpu = CpuMeter(servers.pid("floor"), cluster.postmaster, (), monitor)
        floor = Meter(bare, floor_cpu, statements, speed, wanted.requests)
        result.select_1_ms = _select_1(floor, Scene("admin", records))
        if not wanted.rows:
            _use(meter, [Scene(role, records) for role in wanted.roles])
            launcher = _launcher(cluster.checkout.root)
            result.memory = _memory(client, servers, cluster, launcher)
        _measure_rows(result, meter, floor, records, wanted, say)
        if not wanted.rows:
            result.later = _memory(client, servers, cluster, launcher)
        if not wanted.rows or "search" in wanted.rows:
            for one in measure_search({role: people[role] for role in wanted.roles}, url):
                result.searches.append(one)
                say(search_line(one))
        for key, measure in JOBS.items():
            if key in wanted.jobs:
                result.jobs.append(measure(people["admin"][0], cpu))
                say(job_line(result.jobs[-1]))
    result.machine["load_after"] = os.getloadavg()
    return result


def _measure_rows(result: Result, meter: Meter, floor: Meter, records: Records, wanted: Wanted, say: Say) -> None:
    floors: dict[tuple[str, str], float] = {}
    for row in ROWS:
        if wanted.rows and row.key not in wanted.rows:
            continue
        with row.around(records) if row.around else nullcontext():
            for role in wanted.roles:
                scene = Scene(role, records)
                measured, seen = _measure(row, scene, meter)
                if row.floor and measured.state == "measured":
                    if (row.floor, role) not in floors:
                        floors[row.floor, role] = _floor(floor, row.floor, scene)
                    measured.floor_ms = floors[row.floor, role]
                judge_beside(measured, row.bar, result.rows)
                result.rows.append(measured)
                say(line(measured))
                if wanted.show_statements:
                    say("\n".join(_statement_lines(seen)))


def _measure(row: Row, scene: Scene, meter: Meter) -> tuple[Measured, list[Statement]]:
    if not row.exists(scene):
        return Measured(row.key, row.label, scene.role, state="absent"), []
    try:
        return meter.measure(row, scene)
    except UnexpectedAnswerError as error:
        meter.statements.stop()
        return Measured(row.key, row.label, scene.role, state="failed", note=str(error)[:600]), []


def _floor(meter: Meter, read: str, scene: Scene) -> float:
    requests = floor_requests(read, scene)
    meter.run(requests, meter.per_round)
    rounds = [meter.run(requests, meter.per_round).cpu for _n in range(ROUNDS)]
    return round(statistics.median(one.web + one.database for one in rounds) * 1000, 3)


def _select_1(meter: Meter, scene: Scene) -> float:
    requests = floor_requests("one", scene)
    meter.run(requests, meter.per_round)
    best = min(statistics.median(meter.run(requests, meter.per_round).seconds) for _n in range(ROUNDS))
    return round(best * 1000, 3)


def _use(meter: Meter, scenes: list[Scene]) -> None:
    """What people do, each in turn, as often as memory is judged after."""
    rows = [row for row in ROWS if row.around is None]
    used = itertools.cycle([row.requests(scene) for row in rows for scene in scenes if row.exists(scene)])
    meter.run((next(requests) for requests in used), PSS_REQUESTS)


def _launcher(root: Path) -> int:
    """The memory of the process that `make up` is: of one that has loaded the same."""
    loading = "import sys, crm.launch.up; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", loading], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        size = pss([process.pid])
        process.stdin.close()
    return size


def _memory(client: Client, servers: Servers, cluster: Cluster, launcher: int) -> dict[str, Any]:
    """Memory after what the web processes have answered by now."""
    web = pss(tree(servers.pid("web")))
    behind = [pid for name in ("live", "worker", "beat", "relay") for pid in tree(servers.pid(name))]
    everything = web + launcher + pss([*behind, *tree(cluster.postmaster), cluster.valkey_pid])
    return {"requests": client.sent, "web": web, "all": everything}


def judge_memory(memory: dict[str, Any]) -> list[str]:
    """The bars that memory is over, in words."""
    return [
        f"{name}: {memory[key] / 1e6:.0f} MB, at most {limit / 1e6:.0f}"
        for name, key, limit in (("PSS of web", "web", WEB_PSS), ("PSS of everything", "all", ALL_PSS))
        if memory and memory[key] > limit
    ]


def _statement_lines(seen: list[Statement]) -> list[str]:
    shown = [statement for statement in seen if statement.counts and statement.calls > 1]
    lines = []
    for one in shown:
        text = " ".join(one.text.split())[:400]
        plan, ran = one.plan_ms / one.calls, one.run_ms / one.calls
        times = f"{one.calls / COUNTED:5.2f} x {plan:5.2f} ms planning {ran:5.2f} ms running"
        lines.append(f"    {times} {one.pages / one.calls:7.1f} pages  {text}")
    return lines


def line(row: Measured) -> str:
    """One row as a line, while the run goes on."""
    if row.state != "measured":
        return f"{row.label:<26}{row.role:<9}{row.state} {row.note.splitlines()[0] if row.note else ''}"
    floor = f"{row.ratio:5.1f} x floor" if row.floor_ms else " " * 13
    over = f"   over: {', '.join(row.broken)}" if row.broken else ""
    over += f"   (machine {row.slowness:.1f} x slower than at its best)" if row.slowness > 1.15 else ""
    return (
        f"{row.label:<26}{row.role:<9}{row.cpu_ms:7.2f} ms CPU ({row.database_ms:.2f} db){floor}"
        f"{row.statements:7.1f} statements{row.bytes / 1000:8.1f} kB{row.pages:8.0f} pages{row.wall_ms:8.2f} ms{over}"
    )


def job_line(job: Job) -> str:
    """One job as a line."""
    over = f"   over: {'; '.join(job.broken)}" if job.broken else ""
    return f"{job.label:<35}{job.seconds:7.1f} s (at most {job.bar_seconds:.0f}), {job.cpu_seconds:.1f} s CPU{over}"


def machine() -> dict[str, Any]:
    """What the figures were taken on, and what else it was doing."""
    described = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    model = next((value.strip() for name, _colon, value in described if "model name" in name), platform.machine())
    return {
        "cpus": os.cpu_count(),
        "model": model,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load_before": os.getloadavg(),
    }


def commit(root: Path) -> tuple[str, bool]:
    """The commit that was measured, and whether files differ from it."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    changes = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short=10", "HEAD") or "unknown", bool(changes)
