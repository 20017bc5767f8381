"""What the bench says of its results."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from bench import report
from bench.jobs import export
from bench.measure import Measured, judge, judge_beside
from bench.rows import ROWS, Bar
from bench.run import Result, line
from bench.searching import KINDS, Words, summed_up
from bench.timing import Job
from bench.timing import judge as judge_job

MACHINE = {
    "cpus": 2, "model": "Some CPU", "python": "3.11.7", "kernel": "6", "load_before": [0.5, 0, 0],
    "load_after": [1.25, 0, 0],
}  # fmt: skip


def measured(**values: object) -> Measured:
    one = Measured(
        "board", "Board, first load", "rep", cpu_ms=21.04, web_ms=16, database_ms=5.04, background_ms=0.25, statements=7.5,
        bytes=152_345, pages=2043.4, wall_ms=22.36, floor_ms=2.0, slowness=1.25,
    )  # fmt: skip
    return replace(one, **values)


def result(size: str = "small", rows: list[Measured] | None = None, **values: object) -> Result:
    made = Result(size, "abc1234567", False, "2026-03-11T09:30:00+00:00", MACHINE, rows or [measured()], 0.287)
    return replace(made, **values)


@pytest.mark.parametrize(
    ("bar", "broken"),
    [
        (Bar(25, 8, 160_000), []),
        (Bar(21, 8, 160_000), ["cpu_ms"]),
        (Bar(21.04, 7, 152_345), ["statements"]),
        (Bar(1, 1, 1), ["cpu_ms", "statements", "bytes"]),
        (Bar(), []),
    ],
)
def test_judge_names_the_bars_that_are_broken(bar: Bar, broken: list[str]):
    row = measured()
    judge(row, bar)
    assert row.broken == broken


@pytest.mark.parametrize(("cpu_ms", "broken"), [(23.9, []), (27.5, ["times"])])
def test_a_row_is_held_against_another_one_of_the_same_role(cpu_ms: float, broken: list[str]):
    others = [measured(key="plain", cpu_ms=20.0), measured(key="plain", role="admin", cpu_ms=1.0)]
    row, bar = measured(cpu_ms=cpu_ms), Bar(times=1.2, beside="plain")
    judge(row, bar)
    judge_beside(row, bar, others)
    assert (row.broken, row.times) == (broken, round(cpu_ms / 20, 2))


def test_table_shows_figures_beside_their_bars():
    row = measured()
    judge(row, Bar(21, 8, 160_000))
    head, shown = report.table(result(rows=[row])).splitlines()
    assert head.split()[:2] == ["What", "Role"]
    assert shown.split() == [
        "Board,", "first", "load", "rep", "**21.0**", "21", "16.8", "5.0", "10.5", "7.5", "8", "152.3", "160", "2043",
        "22.4", "0.2", "1.2",
    ]  # fmt: skip


def test_table_says_what_is_absent_or_failed():
    rows = [measured(state="absent"), measured(role="admin", state="failed", note="GET /x/: 500\n<html>")]
    table = report.table(result(rows=rows)).splitlines()
    assert [text.split()[3:] for text in table[1:]] == [["rep", "absent"], ["admin", "failed"]]
    assert result(rows=rows).broken == ["Board, first load (admin): GET /x/: 500\n<html>"]
    assert line(rows[1]).split()[-4:] == ["failed", "GET", "/x/:", "500"]


def test_growth_names_rows_that_cost_more_than_half_again():
    small = result(rows=[measured(cpu_ms=10), measured(role="admin", cpu_ms=10), measured(role="manager", cpu_ms=10)])
    rows = [measured(cpu_ms=15), measured(role="admin", cpu_ms=15.1), measured(role="manager", state="absent")]
    assert report.growth(small, result("medium", rows)) == [
        "Board, first load (admin): 8.0 ms on small, 12.1 on medium"
    ]


def test_growth_of_a_page_that_shows_more_is_held_to_what_each_part_costs():
    small = result(rows=[measured(cpu_ms=10, bytes=40_000), measured(role="admin", cpu_ms=10, bytes=40_000)])
    rows = [measured(cpu_ms=44, bytes=120_000), measured(role="admin", cpu_ms=46, bytes=120_000)]
    assert report.growth(small, result("medium", rows)) == [
        "Board, first load (admin): 8.0 ms on small, 36.8 on medium"
    ]


def test_memory_over_its_bar_is_broken():
    memory, later = {"requests": 1000, "web": 3e8, "all": 9e8}, {"requests": 20000, "web": 4e8, "all": 2e9}
    found = result(memory=memory, later=later)
    assert found.broken == ["PSS of web: 300 MB, at most 250"]
    assert "Memory (PSS) after 1,000 requests: web 300 MB, everything 900 MB." in report.notes(found)
    assert "Memory (PSS) after 20,000 requests: web 400 MB, everything 2000 MB." in report.notes(found)


@pytest.mark.parametrize(
    ("seconds", "done", "finished", "broken"),
    [
        (90, 100, True, []),
        (91, 100, True, ["Import: 91 s, at most 90"]),
        (10, 99, True, ["Import: wrote 99 of 100 rows"]),
        (10, 0, False, ["Import: did not end well", "Import: wrote 0 of 100 rows"]),
    ],
)
def test_job_is_judged_by_its_time_and_by_what_it_wrote(seconds: float, done: int, finished: bool, broken: list[str]):
    job = Job("import", "Import", seconds, 1, 100, done, 90)
    judge_job(job, finished)
    assert job.broken == broken
    assert result(jobs=[job]).broken == broken


def test_export_has_so_many_rows_and_nobody_twice():
    head, *rows = export(700).decode().splitlines()
    assert head.startswith("Record ID,First Name,Last Name,Email,")
    assert len(rows) == len({row.split(",")[3] for row in rows}) == 700


def test_result_is_read_as_it_was_saved(tmp_path: Path):
    job = Job("import", "Import of 100 contacts", 2.5, 3.5, 100, 100, 90)
    saved = result(dirty=True, memory={"requests": 1000, "web": 1, "all": 2}, jobs=[job])
    path = saved.save(tmp_path / "results")
    assert path.name == "2026-03-11T0930-abc1234567-dirty-small.json"
    assert json.loads(path.read_text())["rows"][0]["cpu_ms"] == 21.04
    assert Result.read(path) == saved


def test_latest_is_the_newest_whole_run_of_each_size(tmp_path: Path):
    two = [measured(), measured(key="contacts")]
    old = result(rows=two, at="2026-03-10T09:30:00+00:00")
    new = result(rows=two, at="2026-03-11T09:30:00+00:00", select_1_ms=0.5)
    part = result(at="2026-03-12T09:30:00+00:00")
    medium = result("medium", two)
    for one in (new, old, part, medium):
        one.save(tmp_path)
    assert report.latest(tmp_path) == {"small": new, "medium": medium}


def test_docs_get_the_results_between_their_markers(tmp_path: Path):
    page = tmp_path / "bench.md"
    page.write_text(f"# Bench\n\n{report.BEGIN}\n\nold\n\n{report.END}\n\nAfter.\n")
    found = {"medium": result("medium"), "small": result()}
    report.write_docs(page, found)
    once = page.read_text()
    assert once.startswith(f"# Bench\n\n{report.BEGIN}\n\n### small\n\n| What | Role |")
    assert once.index("### small") < once.index("### medium")
    assert "| Board, first load | rep | 21.0 |" in once
    assert "old" not in once
    assert once.endswith(f"{report.END}\n\nAfter.\n")
    report.write_docs(page, found)
    assert page.read_text() == once


def test_docs_without_markers_are_refused(tmp_path: Path):
    page = tmp_path / "bench.md"
    page.write_text("# Bench\n")
    with pytest.raises(ValueError, match="no place for results"):
        report.write_docs(page, {"small": result()})
    assert page.read_text() == "# Bench\n"


def test_docs_in_the_repository_have_a_place_for_results():
    text = (Path(__file__).parents[2] / "docs" / "bench.md").read_text()
    assert text.count(report.BEGIN) == text.count(report.END) == 1


def test_rows_have_keys_of_their_own_and_the_agreed_bars():
    assert len({row.key for row in ROWS}) == len(ROWS)
    bars = {row.key: (row.bar.cpu_ms, row.bar.statements, row.bar.bytes) for row in ROWS if row.bar != Bar()}
    assert bars == {
        "board": (25, 8, 160_000), "contacts": (8, 6, None), "contacts_changed": (8, 6, None),
        "contacts_named": (8, 6, None), "contact": (9, 12, None), "move": (6, 12, 10_000), "event": (4, None, None),
        "create": (6, None, None), "edit": (6, None, None), "deals": (10, 8, None),
        "filtered": (10, 8, None), "filtered_deep": (10, 8, None),
        "sorted": (10, 8, None), "sorted_deep": (10, 8, None), "count": (30, None, None), "related": (250, None, None),
        "own": (10, None, None), "own_shown": (10, None, None), "own_sorted": (10, 8, None),
        "own_sorted_deep": (10, 8, None), "grouped": (250, 8, None),
    }  # fmt: skip
    assert next((row.bar.times, row.bar.beside) for row in ROWS if row.key == "own") == (1.2, "contacts")


def test_searches_are_held_against_their_bars():
    taken = [(float(ms), ms % 2 == 0) for ms in range(1, 101)]
    fine, slow = summed_up("two words", "rep", taken, 96), summed_up("two words", "admin", taken, 95)
    assert (fine.p50_ms, fine.p95_ms, fine.found, fine.broken) == (51, 96, 50, [])
    assert slow.broken == ["96.0 ms, at most 95"]
    made = result(searches=[fine, slow])
    assert made.broken == ["Search, two words (admin): 96.0 ms, at most 95"]
    assert "| two words | 96 | 96 | **96** |" in "\n".join(report.notes(made))


@pytest.mark.parametrize("kind", KINDS)
def test_terms_vary(kind: str):
    words = Words([("Anna", "Lindqvist"), ("Jo", "Li")], ["anna@acme.example"], ["+4722555123"], ["Acme Crane 7"])
    make, chance = KINDS[kind][0], random.Random(1)
    terms = {make(words, chance) for _n in range(50)}
    assert len(terms) > 3
    assert all(terms)
