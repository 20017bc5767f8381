"""The embedded database server, in the states that interrupted runs leave behind."""

import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from crm.launch.checkout import Checkout
from crm.launch.homes import SOCKET_PATH_LIMIT, Home, open_home
from crm.launch.postgres import SUPERUSER, Postgres
from crm.launch.processes import daemonise, pids_working_in, spawn, stop

Start = Callable[[Postgres], subprocess.Popen[bytes]]


def answer(server: Postgres, query: str = "SELECT 1") -> object:
    with psycopg.connect(server.url(SUPERUSER, "pw", "postgres")) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


def test_server_is_made_with_passwords_and_the_builtin_locale(postgres: Postgres, start: Start) -> None:
    start(postgres)
    assert answer(postgres, "SHOW listen_addresses") == ""
    assert answer(postgres, "SELECT rolpassword LIKE 'SCRAM%' FROM pg_authid WHERE rolname = current_user") is True
    locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'postgres'"
    assert answer(postgres, locale) == "bC.UTF-8"
    assert (postgres.data / "pg_hba.conf").read_text().splitlines()[-1] == "local all all scram-sha-256"
    assert stat.S_IMODE(postgres.home.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(SUPERUSER, "wrong", "postgres"))


def test_socket_of_a_deep_checkout_stays_below_the_kernels_limit(
    var: Path, start: Start, request: pytest.FixtureRequest
) -> None:
    deep = var / ("deep-directory-name/" * 7)
    deep.mkdir(parents=True, mode=0o755)
    home = open_home(Checkout.here().site_packages, deep, notice=False)
    request.addfinalizer(lambda: shutil.rmtree(home.sockets))
    assert len(str(deep / "run" / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT
    assert len(str(home.sockets / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT
    assert stat.S_IMODE(home.sockets.stat().st_mode) == 0o700
    server = Postgres(home)
    server.initialise("pw")
    start(server)
    assert answer(server) == 1
    assert open_home(Checkout.here().site_packages, deep, notice=False).sockets == home.sockets


def test_start_with_a_pid_file_whose_pid_another_program_has_now(postgres: Postgres, start: Start) -> None:
    other = spawn(["sleep", "60"], env={}, cwd=Path("/"), output=None, user=postgres.home.user)
    pid_file = postgres.data / "postmaster.pid"
    pid_file.write_text(f"{other.pid}\n{postgres.data}\n1\n5432\n{postgres.home.sockets}\n\n  0 0\nready\n")
    postgres.clear_the_way()
    start(postgres)
    assert answer(postgres) == 1
    assert other.poll() is None
    stop(other)


def test_start_after_a_killed_server_recovers(postgres: Postgres, start: Start) -> None:
    postgres = Postgres(postgres.home)  # as `make up` runs it: a commit is on disk before it is answered
    first = start(postgres)
    with psycopg.connect(postgres.url(SUPERUSER, "pw", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    first.kill()
    first.wait()
    assert (postgres.data / "postmaster.pid").exists()
    postgres.clear_the_way()
    start(postgres)
    assert answer(postgres, "SELECT seven FROM kept") == 7


def test_server_that_nobody_looks_after_is_ended_before_a_new_one_starts(
    postgres: Postgres, start: Start, tmp_path: Path
) -> None:
    with (tmp_path / "orphan.log").open("wb") as output:
        daemonise(postgres.command(), output=output, user=postgres.home.user)
    postgres.wait_ready(lambda: True)
    assert pids_working_in(postgres.data)
    postgres.clear_the_way()
    assert pids_working_in(postgres.data) == []
    start(postgres)
    assert answer(postgres) == 1


def test_half_finished_init_is_thrown_away(home: Home, start: Start) -> None:
    half = home.data / "postgres.new"
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = Postgres(home)
    server.initialise("pw")
    assert not half.exists()
    start(server)
    assert answer(server) == 1


def test_what_a_killed_init_left_at_work_is_ended_first(home: Home, start: Start) -> None:
    half = home.data / "postgres.new"
    half.mkdir(mode=0o777)
    half.chmod(0o777)
    write = "i=0; while :; do i=$((i+1)); mkdir -p base; : > base/$i; done"
    writer = spawn(["sh", "-c", f"cd '{half}'; {write}"], env={}, cwd=Path("/"), output=None, user=home.user)
    while not (half / "base" / "9").exists():
        time.sleep(0.01)
    server = Postgres(home)
    server.initialise("pw")
    assert writer.wait(5) == -signal.SIGKILL
    start(server)
    assert answer(server) == 1


def test_init_leaves_existing_data_alone(postgres: Postgres, start: Start) -> None:
    postgres.initialise("another password")
    start(postgres)
    assert answer(postgres) == 1


def test_fast_shutdown_ends_every_process(postgres: Postgres, start: Start) -> None:
    process = start(postgres)
    stop(process, signal.SIGINT)
    assert process.returncode == 0
    assert pids_working_in(postgres.data) == []


def test_checkout_that_no_other_user_can_enter_keeps_its_data_elsewhere_for_root(
    tmp_path: Path, start: Start, request: pytest.FixtureRequest
) -> None:
    tmp_path.chmod(0o700)
    var = tmp_path / "var"
    home = open_home(Checkout.here().site_packages, var, notice=False)
    if os.geteuid() != 0:
        assert (home.data, home.user) == (var, None)
        return
    request.addfinalizer(lambda: shutil.rmtree(home.data))
    assert home.data.parent == Path("/var/lib")
    assert (var / "services").read_text() == f"{home.data}\n"
    assert open_home(Checkout.here().site_packages, var, notice=False).data == home.data
    server = Postgres(home)
    server.initialise("pw")
    start(server)
    assert answer(server) == 1
