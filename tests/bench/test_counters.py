"""What the bench reads from the kernel and the database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench.cluster import SETTINGS
from bench.counters import Speed, Statement, StatementMeter, children, cpu, ended_cpu, own_cpu, pss, tree
from bench.servers import UNCOUNTED
from crm.launch.checkout import Checkout
from crm.launch.homes import open_home
from crm.launch.postgres import SUPERUSER, THROWAWAY, Postgres
from crm.launch.processes import spawn, stop
from tests.support.places import reachable_directory

PASSWORD = "only-for-this-test"


@pytest.fixture(scope="module")
def counted() -> Iterator[Postgres]:
    """A server that counts statements, with the application's role; the suite's own does not count."""
    with reachable_directory() as directory:
        yield from _counting(directory)


def _counting(directory: Path) -> Iterator[Postgres]:
    home = open_home(Checkout.here().site_packages, directory, notice=False)
    server = Postgres(home, settings={**THROWAWAY, **SETTINGS})
    server.initialise(PASSWORD)
    with (directory / "log").open("wb") as output:
        process = spawn(server.command(), env=os.environ, cwd=Path("/"), output=output, user=home.user)
    try:
        server.wait_ready(lambda: process.poll() is None)
        with psycopg.connect(server.url(SUPERUSER, PASSWORD, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute(f"CREATE ROLE keel_app LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("GRANT SET ON PARAMETER pg_stat_statements.track TO keel_app")
            connection.execute("CREATE TABLE thing (id int PRIMARY KEY, name text)")
            connection.execute("INSERT INTO thing SELECT n, 'Thing ' || n FROM generate_series(1, 5000) n")
            connection.execute("GRANT ALL ON thing TO keel_app")
        yield server
    finally:
        stop(process)


@pytest.fixture
def meter(counted: Postgres) -> Iterator[StatementMeter]:
    meter = StatementMeter(counted.url(SUPERUSER, PASSWORD, "postgres"))
    yield meter
    meter.close()


def application(server: Postgres, options: str = "") -> psycopg.Connection:
    return psycopg.connect(server.url("keel_app", PASSWORD, "postgres"), autocommit=True, options=options)


def work(connection: psycopg.Connection) -> None:
    """What counts: a SELECT, a savepoint, an INSERT, going back to the savepoint, releasing it; five in all."""
    connection.execute(b"BEGIN;SET LOCAL app.org_id='x';SET LOCAL app.reach='own';")
    connection.execute("SELECT name FROM thing WHERE id = 7")
    connection.execute("SAVEPOINT s")
    connection.execute("INSERT INTO thing VALUES (0, 'None')")
    connection.execute("ROLLBACK TO SAVEPOINT s")
    connection.execute("RELEASE SAVEPOINT s")
    connection.execute("COMMIT")
    connection.execute("BEGIN")
    connection.execute("ROLLBACK")


def test_statements_are_all_but_the_frame_of_a_transaction(counted, meter):
    with application(counted) as connection:
        meter.start()
        for _again in range(3):
            work(connection)
        seen = [statement for statement in meter.stop() if statement.counts]
    assert sum(statement.calls for statement in seen) == 15
    kinds = sorted(statement.text.split()[0] for statement in seen)
    assert kinds == ["INSERT", "RELEASE", "ROLLBACK", "SAVEPOINT", "SELECT"]
    assert {statement.calls for statement in seen} == {3}


def test_statements_that_were_prepared_before_are_counted(counted, meter):
    with application(counted) as connection:
        for number in range(10):
            connection.execute("SELECT name FROM thing WHERE id = %s", [number], prepare=True)
        meter.start()
        for number in range(10):
            connection.execute("SELECT name FROM thing WHERE id = %s", [number], prepare=True)
        assert sum(statement.calls for statement in meter.stop()) == 10


def test_statements_outside_of_start_and_stop_are_not_counted(counted, meter):
    with application(counted) as connection:
        work(connection)
        meter.start()
        assert meter.stop() == []
        work(connection)
        meter.start()
        connection.execute("SELECT 1")
        assert [statement.calls for statement in meter.stop()] == [1]


def test_statements_of_relay_and_worker_are_not_counted(counted, meter):
    with application(counted) as web, application(counted, UNCOUNTED) as relay:
        meter.start()
        web.execute("SELECT 1")
        relay.execute("SELECT 2, 3")
        assert [statement.text for statement in meter.stop()] == ["SELECT $1"]


def test_pages_grow_with_what_a_statement_reads(counted, meter):
    with application(counted) as connection:
        connection.execute("SELECT count(*) FROM thing")
        meter.start()
        connection.execute("SELECT name FROM thing WHERE id = 7")
        connection.execute("SELECT count(*) FROM thing WHERE name > 'T'")
        one, all_of_them = sorted(meter.stop(), key=lambda statement: statement.pages)
    assert 0 < one.pages < 20 < all_of_them.pages


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("BEGIN", False), ("COMMIT", False), ("SET LOCAL app.org_id = $1", False), ("ROLLBACK", False),
        ("ROLLBACK TO SAVEPOINT $1", True), ("SAVEPOINT $1", True), ("SELECT set_config($1, $2, true)", True),
        ("SETTLE", True), ("update x set y = $1", True),
    ],
)  # fmt: skip
def test_statement_counts_unless_it_frames_a_transaction(text: str, counts: bool):
    assert Statement(text, 1, 0).counts is counts


BUSY = """
import os, sys, time
spent = float(sys.argv[1])
while time.process_time() < spent: pass
print(time.process_time(), flush=True)
sys.stdin.read()
"""


def test_cpu_is_what_a_process_has_spent():
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, "0.2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        said = float(process.stdout.readline())
        assert own_cpu(process.pid) == pytest.approx(said, abs=0.02)
        assert cpu([process.pid]) == pytest.approx(said, abs=0.03)
        assert process.pid in tree(os.getpid())
        assert process.pid in children()[os.getpid()]
        assert pss([process.pid]) > 1_000_000
        process.stdin.close()
    assert own_cpu(process.pid) == 0
    assert pss([process.pid]) == 0


def test_ended_cpu_is_what_children_had_spent():
    before = ended_cpu(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY, "0.3"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    assert ended_cpu(os.getpid()) - before >= 0.28


def test_speed_is_told_against_the_best_ever_seen(tmp_path: Path):
    memory = tmp_path / "bench" / "speed"
    assert Speed(memory).now() == 1.0
    best = float(memory.read_text())
    memory.write_text(str(best / 4))
    assert Speed(memory).now() > 2
    memory.write_text("1000")
    started = time.monotonic()
    assert Speed(memory).now() == 1.0
    assert float(memory.read_text()) < 1000
    assert time.monotonic() - started < 2
