"""What the kernel and the database have counted: CPU, memory, statements, pages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg

# Statements that open, tune and close a transaction; savepoints and everything else count.
FRAME = ("BEGIN", "START TRANSACTION", "SET LOCAL", "SET ", "COMMIT")
_TICK = os.sysconf("SC_CLK_TCK")


def children() -> dict[int, list[int]]:
    """The children of every process."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))):
            found.setdefault(int(fields[1]), []).append(int(name))
    return found


def tree(root: int) -> list[int]:
    """A process and everything that descends from it."""
    below, pids = children(), [root]
    for pid in pids:
        pids += below.get(pid, [])
    return pids


def _stat(pid: int) -> list[str]:
    """/proc/<pid>/stat from the third field on (state, parent, ...); [] when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def own_cpu(pid: int) -> float:
    """CPU seconds of a process, all its threads: the clock behind /proc/<pid>/stat, read to the nanosecond.

    Ticks of 10 ms would be coarser than a whole request. 0 when the process is gone.
    """
    try:
        return time.clock_gettime(((~pid) << 3) | 2)
    except OSError:
        return 0.0


def ended_cpu(pid: int) -> float:
    """CPU seconds of a process's ended children, to the tick."""
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) / _TICK if fields else 0.0


def cpu(pids: Iterable[int]) -> float:
    """CPU seconds of processes and of the children they have already buried."""
    return sum(own_cpu(pid) + ended_cpu(pid) for pid in pids)


class Speed:
    """How fast this machine runs now, against the best that was seen: what else runs beside makes every CPU figure
    bigger, since cores share caches and execution units."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._best = float(memory.read_text()) if memory.exists() else float("inf")

    def now(self) -> float:
        """1.0 at the best, 2.0 where the same work takes twice as much CPU time; a few milliseconds of work."""
        spent = min(_work() for _n in range(3))
        if spent < self._best:
            self._best = spent
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._memory.write_text(f"{spent:.9f}")
        return spent / self._best


def _work() -> float:
    """CPU seconds of a fixed piece of work that is like what a request does: objects, dictionaries, text."""
    started = time.thread_time()
    rows = [{"id": number, "name": f"Name {number}", "tags": [number % 7, number % 11]} for number in range(2000)]
    text = "".join(f"<td>{row['name']}</td>" for row in sorted(rows, key=lambda row: str(row["id"])))
    assert len(text) > len(rows)
    return time.thread_time() - started


def pss(pids: Iterable[int]) -> int:
    """Bytes of memory, pages that are shared divided among those who share them."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


@dataclass(frozen=True)
class Cpu:
    """CPU seconds: of the web processes and the database they use, and of everything in the background."""

    web: float
    database: float
    background: float

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(self.web - other.web, self.database - other.database, self.background - other.background)


class CpuMeter:
    """Reads CPU by part. Backends are told apart by the application name of their connection."""

    def __init__(self, web: int, postmaster: int, background: Iterable[int], monitor: psycopg.Connection) -> None:
        self._web, self._postmaster, self._background = web, postmaster, tuple(background)
        self._monitor = monitor

    def read(self) -> Cpu:
        """CPU so far. The monitor's own backend counts nowhere."""
        rows = self._monitor.execute("SELECT pid, application_name FROM pg_stat_activity").fetchall()
        names = dict(rows)
        names.pop(self._monitor.info.backend_pid, None)
        # The wheel's programs may have started as children of a wrapper; every process of the server counts.
        server = [pid for pid in tree(self._postmaster) if pid != self._monitor.info.backend_pid]
        behind = [pid for pid in server if names.get(pid, "") not in ("", "web", "floor")]
        before = [pid for pid in server if pid not in behind]
        # Ended children of the postmaster (parallel workers) worked for requests.
        return Cpu(
            web=cpu(tree(self._web)),
            database=cpu(before),
            background=sum(cpu(tree(pid)) for pid in self._background) + sum(own_cpu(pid) for pid in behind),
        )


@dataclass(frozen=True)
class Statement:
    """What one kind of statement has cost."""

    text: str
    calls: int
    pages: int
    plan_ms: float = 0.0  # wall time of all calls, planning and running
    run_ms: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether it is more than a transaction's frame."""
        text = self.text.lstrip().upper()
        return not text.startswith(FRAME) and not (text.startswith("ROLLBACK") and " TO " not in text)


class StatementMeter:
    """Counts what the application's role asks of the database, and the pages it touches, planning included."""

    def __init__(self, superuser_url: str) -> None:
        self._connection = psycopg.connect(superuser_url, autocommit=True, application_name="bench")

    def start(self) -> None:
        """Begins to count from nothing."""
        self._switch("top")
        self._connection.execute("SELECT pg_stat_statements_reset()")

    def stop(self) -> list[Statement]:
        """What was asked since the start, the costliest first; counting is off afterwards and costs nothing."""
        rows = self._connection.execute(
            "SELECT query, calls, shared_blks_hit + shared_blks_read, total_plan_time, total_exec_time"
            " FROM pg_stat_statements"
            " WHERE userid = 'keel_app'::regrole"
            " AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " ORDER BY total_exec_time + total_plan_time DESC"
        ).fetchall()
        self._switch("none")
        return [Statement(*row) for row in rows]

    def close(self) -> None:
        """Disconnects."""
        self._connection.close()

    def _switch(self, track: str) -> None:
        self._connection.execute(f"ALTER SYSTEM SET pg_stat_statements.track = '{track}'".encode())
        self._connection.execute("SELECT pg_reload_conf()")
        # Every backend reads its configuration before its next statement; give the signal time to arrive.
        time.sleep(0.2)
