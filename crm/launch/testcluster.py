"""A PostgreSQL and a Valkey of their own for the tests, which nothing else uses and nobody misses.

Usually they live in a new temporary directory for one run. With KEEL_TEST_REUSE=1 they live in
`var/test-cluster`, are shared by the runs of this checkout, and keep the migrated template database between them.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.homes import open_home
from crm.launch.postgres import SUPERUSER, THROWAWAY, Postgres
from crm.launch.processes import daemonise, spawn, stop
from crm.launch.valkey import Valkey

ENV = "KEEL_TEST_CLUSTER"
PLACEHOLDER = "-database-"


@dataclass(frozen=True)
class ClusterInfo:
    """How to reach a running cluster."""

    directory: str
    password: str
    superuser_template: str
    owner_template: str
    app_template: str
    redis_template: str

    @classmethod
    def from_env(cls) -> "ClusterInfo | None":
        """The cluster that a parent process announced, if any."""
        path = os.environ.get(ENV)
        return cls(**json.loads(Path(path).read_text())) if path else None

    def superuser_url(self, database: str) -> str:
        """URL of a database for the superuser."""
        return self.superuser_template.replace(PLACEHOLDER, database)

    def owner_url(self, database: str) -> str:
        """URL of a database for the role that runs migrations."""
        return self.owner_template.replace(PLACEHOLDER, database)

    def app_url(self, database: str) -> str:
        """URL of a database for the application's role."""
        return self.app_template.replace(PLACEHOLDER, database)

    def redis_url(self, number: int) -> str:
        """URL of one of Valkey's numbered databases."""
        return f"{self.redis_template}{number}"


class TestCluster:
    """Starts and stops the two servers."""

    __test__ = False  # pytest takes a class of this name for tests

    def __init__(self, checkout: Checkout, *, shared: bool = False) -> None:
        self.checkout = checkout
        self.shared = shared
        self.directory = checkout.var / "test-cluster" if shared else Path(tempfile.mkdtemp(prefix="keel-test-"))
        self._processes: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        self._users: int | None = None

    @property
    def info_file(self) -> Path:
        """The file that tells other processes how to reach the cluster; mode 0600."""
        return self.directory / "cluster.json"

    def start(self) -> ClusterInfo:
        """Start both servers, or join them when a shared cluster runs already, and announce them to children."""
        if not self.shared:
            self.directory.chmod(0o755)
            info = self._launch(secrets.token_urlsafe(18))
        else:
            info = self._join()
        os.environ[ENV] = str(self.info_file)
        return info

    def close(self) -> None:
        """Stop the servers, unless other runs share them, and remove a throwaway cluster's files."""
        if self.shared:
            self._leave()
            return
        for process, how in reversed(self._processes):
            stop(process, how)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _launch(self, password: str) -> ClusterInfo:
        home = open_home(self.checkout.site_packages, self.directory, notice=False)
        postgres = Postgres(home, settings=THROWAWAY)
        postgres.initialise(password)
        postgres.clear_the_way()
        valkey = Valkey(home, persist=False)
        valkey.configure(password)
        valkey.clear_the_way()
        self._start(postgres, home.data / "postgres.log", signal.SIGQUIT)
        self._start(valkey, home.data / "valkey.log", signal.SIGTERM)
        info = ClusterInfo(
            directory=str(self.directory),
            password=password,
            superuser_template=postgres.url(SUPERUSER, password, PLACEHOLDER),
            owner_template=postgres.url("keel_owner", password, PLACEHOLDER),
            app_template=postgres.url("keel_app", password, PLACEHOLDER),
            redis_template=valkey.url(password).removesuffix("0"),
        )
        self.info_file.touch(mode=0o600)
        self.info_file.write_text(json.dumps(asdict(info)))
        return info

    def _start(self, server: Postgres | Valkey, log: Path, how: signal.Signals) -> None:
        with log.open("wb") as output:
            if self.shared:  # outlives the run that happened to start it
                daemonise(server.command(), output=output, user=server.home.user)
            else:
                self._processes.append((self._spawn(server, output, how), how))
        try:
            server.wait_ready(self._alive)
        except LaunchError as error:
            raise LaunchError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error

    def _spawn(self, server: Postgres | Valkey, output: IO[bytes], how: signal.Signals) -> subprocess.Popen[bytes]:
        return spawn(
            server.command(),
            env=os.environ,
            cwd=Path("/"),
            output=output,
            user=server.home.user,
            death_signal=how,
        )

    def _alive(self) -> bool:
        return all(process.poll() is None for process, _how in self._processes)

    def _join(self) -> ClusterInfo:
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "start.lock").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            self._users = os.open(self.directory / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            info = self._relaunch() if self._alone() else ClusterInfo(**json.loads(self.info_file.read_text()))
            fcntl.flock(self._users, fcntl.LOCK_SH)
        return info

    def _relaunch(self) -> ClusterInfo:
        password = secrets.token_urlsafe(18)
        if self.info_file.exists():
            password = json.loads(self.info_file.read_text())["password"]
        else:
            shutil.rmtree(self.directory / "postgres", ignore_errors=True)
        return self._launch(password)

    def _alone(self) -> bool:
        if self._users is None:
            return False
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _leave(self) -> None:
        with (self.directory / "start.lock").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            if self._alone():
                home = open_home(self.checkout.site_packages, self.directory, notice=False)
                Postgres(home).clear_the_way()
                Valkey(home).clear_the_way()
            if self._users is not None:
                os.close(self._users)
                self._users = None
