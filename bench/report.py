"""Results as a table: on the terminal, and in docs/bench.md between its markers."""

from __future__ import annotations

from pathlib import Path

from bench.measure import Measured
from bench.run import Result
from bench.timing import Job

GROWTH = 1.5  # times that a row may cost on `medium` what it costs on `small`
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
HEAD = (
    "What", "Role", "CPU ms", "bar", "at best", "database", "x floor", "Statements", "bar", "kB", "bar", "Pages",
    "Wall ms", "Behind ms", "Slow",
)  # fmt: skip


def cells(row: Measured) -> list[str]:
    """One row of the table."""
    if row.state != "measured":
        return [row.label, row.role, row.state, *[""] * (len(HEAD) - 3)]

    def limit(name: str, scale: float = 1) -> str:
        value = row.bar.get(name)
        return "" if value is None else f"{value / scale:g}"

    def value(name: str, text: str) -> str:
        return f"**{text}**" if name in row.broken else text

    return [
        row.label, row.role, value("cpu_ms", f"{row.cpu_ms:.1f}"), limit("cpu_ms"), f"{row.best_ms:.1f}",
        f"{row.database_ms:.1f}",
        f"{row.ratio:.1f}" if row.floor_ms else "", value("statements", f"{row.statements:g}"), limit("statements"),
        value("bytes", f"{row.bytes / 1000:.1f}"), limit("bytes", 1000), f"{row.pages:.0f}", f"{row.wall_ms:.1f}",
        f"{row.background_ms:.1f}", f"{row.slowness:.1f}",
    ]  # fmt: skip


def table(result: Result, *, markdown: bool = False) -> str:
    """All rows of a result. On a terminal columns line up; a broken bar stands between asterisks in both."""
    lines = [list(HEAD), *(cells(row) for row in result.rows)]
    if markdown:
        rule = ["---", "---", *["--:"] * (len(HEAD) - 2)]
        return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    out = []
    for line in lines:
        left = [line[column].ljust(widths[column]) for column in (0, 1)]
        out.append("  ".join([*left, *(line[c].rjust(widths[c]) for c in range(2, len(HEAD)))]).rstrip())
    return "\n".join(out)


def _job(job: Job) -> str:
    cpu = f" ({job.cpu_seconds:.0f} s of CPU)" if job.cpu_seconds else ""
    return f"{job.label}: {job.seconds:.1f} s, at most {job.bar_seconds:.0f}{cpu}."


def _searches(result: Result) -> str:
    """Searches as a table: each kind of term, the slowest of twenty for each role beside its bar."""
    roles = list(dict.fromkeys(one.role for one in result.searches))
    lines = [["Search: ms in the database, slowest of twenty", "at most", *roles]]
    lines.append(["---", *["--:"] * (1 + len(roles))])
    for kind in dict.fromkeys(one.kind for one in result.searches):
        by_role = {one.role: one for one in result.searches if one.kind == kind}
        shown = [f"**{by_role[r].p95_ms:g}**" if by_role[r].broken else f"{by_role[r].p95_ms:g}" for r in by_role]
        lines.append([kind, f"{next(iter(by_role.values())).bar_ms:g}", *shown])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _beside(result: Result) -> list[str]:
    """Rows that are held against others, in words."""
    return [
        f"{row.label} ({row.role}): {row.times:.2f} times what it is held against, at most {row.bar['times']:g}."
        for row in result.rows
        if row.times
    ]


def notes(result: Result) -> list[str]:
    """What else a result says: memory, SELECT 1, the machine."""
    load = result.machine
    found = [f"A request that runs `SELECT 1` in a bare application takes {result.select_1_ms:.2f} ms (wall)."]
    found += [
        f"Memory (PSS) after {memory['requests']:,} requests: web {memory['web'] / 1e6:.0f} MB,"
        f" everything {memory['all'] / 1e6:.0f} MB."
        for memory in (result.memory, result.later)
        if memory
    ]
    commit = result.commit + (", with changes" if result.dirty else "")
    found += _beside(result)
    found += [_job(job) for job in result.jobs]
    if result.searches:
        found.append(_searches(result))
    found.append(
        f"{load['cpus']} CPUs ({load['model']}), Python {load['python']}, load {load['load_before'][0]:.1f} before and "
        f"{load['load_after'][0]:.1f} after; commit {commit}, {result.at[:16].replace('T', ' ')} UTC."
    )
    return found


def growth(small: Result, bigger: Result) -> list[str]:
    """Rows whose CPU, as on a machine at its best, grows by more than half from one size to the next. A page that shows
    more, so that its body is more than half as long again, is held to that for each kB."""
    before = {(row.key, row.role): row for row in small.rows if row.state == "measured"}
    found = []
    for row in bigger.rows:
        former = before.get((row.key, row.role))
        if not former or row.state != "measured" or not former.cpu_ms:
            continue
        more = row.bytes / former.bytes if former.bytes and row.bytes > GROWTH * former.bytes else 1
        if row.best_ms > GROWTH * more * former.best_ms:
            change = f"{former.best_ms:.1f} ms on {small.size}, {row.best_ms:.1f} on {bigger.size}"
            found.append(f"{row.label} ({row.role}): {change}")
    return found


def latest(directory: Path) -> dict[str, Result]:
    """The newest result of each size."""
    found: dict[str, Result] = {}
    for path in sorted(directory.glob("*.json")):
        result = Result.read(path)
        if len({row.key for row in result.rows}) > 1:  # a run of chosen rows is no report
            found[result.size] = result
    return found


def section(results: dict[str, Result]) -> str:
    """What stands between the markers: a table for each size, smallest first."""
    sizes = [size for size in ("small", "medium", "large") if size in results]
    if not sizes:
        return "No results yet: run `make bench SIZE=small`."
    parts = []
    for size in sizes:
        result = results[size]
        parts += [f"### {size}", table(result, markdown=True), *notes(result)]
    return "\n\n".join(parts)


def write_docs(page: Path, results: dict[str, Result]) -> None:
    """Replaces what stands between the markers of a page. Raises ValueError when they are missing."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no place for results: it must hold {BEGIN} and {END}.")
    page.write_text(f"{before}{BEGIN}\n\n{section(results)}\n\n{END}{after}", encoding="utf-8")
