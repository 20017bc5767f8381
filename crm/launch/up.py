"""`make up`: from a fresh clone to a running Keel."""

import http.client
import os
import shutil
import signal
from pathlib import Path

from crm.launch import environment, preconditions
from crm.launch.browserlibs import ensure_browser_libraries
from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.homes import open_home
from crm.launch.postgres import Postgres, explain
from crm.launch.secrets import ensure_secrets
from crm.launch.stamps import digest_of, digest_of_tree, is_current, set_stamp
from crm.launch.supervisor import Part, Supervisor
from crm.launch.valkey import Valkey
from crm.launch.venv import RUNTIME_LOCK, ensure_venv

QUEUES = "default,sync,mail,tracking,bulk"
# Advice about the machine that a laptop's owner need not follow, and an orderly end.
CHATTER = ("vm.overcommit_memory", "scheduling shutdown", "ready to exit")
READY_PATIENCE = 90.0  # seconds


class Up:
    """One run of `make up`."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.host = os.environ.get("HOST") or "127.0.0.1"
        self.port = preconditions.read_port("PORT", 8000)
        self.live_port = preconditions.read_port("LIVE_PORT", self.port + 1)
        self.supervisor = Supervisor()
        self.lock = preconditions.UpLock(checkout.var)
        self.environment: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where a browser on this machine finds Keel."""
        return f"http://{self._probe_host()}:{self.port}/"

    def run(self) -> int:
        """Everything, until Ctrl-C or SIGTERM; returns the exit code."""
        preconditions.check_machine()
        preconditions.check_var(self.checkout.var)
        self.lock.acquire()
        preconditions.check_port(self.host, self.port, "PORT")
        preconditions.check_port(self.host, self.live_port, "LIVE_PORT")
        ensure_venv(self.checkout)
        ensure_browser_libraries(self.checkout)
        self.supervisor.watch_signals()
        try:
            self._start_databases()
            self._prepare()
            self._start_application()
            self._welcome()
            self.supervisor.run()
        except KeyboardInterrupt:
            self.supervisor.say("Stopping ...")
        finally:
            self.supervisor.stop()
            self.lock.release()
        return 0

    def _start_databases(self) -> None:
        var = self.checkout.var
        postgres = valkey = None
        home = open_home(self.checkout.site_packages, var)
        secrets = ensure_secrets(var, data=home.data)
        if environment.wants_embedded_postgres(os.environ):
            postgres = Postgres(home)
            postgres.initialise(secrets["POSTGRES_SUPERUSER_PASSWORD"])
        if environment.wants_embedded_valkey(os.environ):
            valkey = Valkey(home)
            valkey.configure(secrets["VALKEY_PASSWORD"])
        self.environment = environment.build(
            self.checkout,
            secrets,
            postgres=postgres,
            valkey=valkey,
            host=self.host,
            port=self.port,
            live_port=self.live_port,
        )
        environment.save(self.checkout, self.environment)
        for server, name, how in ((valkey, "valkey", signal.SIGTERM), (postgres, "postgres", signal.SIGINT)):
            if server is not None:
                self._start_server(server, name, how)

    def _start_server(self, server: Postgres | Valkey, name: str, how: signal.Signals) -> None:
        server.clear_the_way()
        part = Part(
            name,
            server.command(),
            env={"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"},
            cwd=Path("/"),
            user=server.home.user,
            stop_signal=how,
            death_signal=how,
            last=True,
            mute=CHATTER,
        )
        self.supervisor.start(part)
        try:
            server.wait_ready(lambda: part.running)
        except LaunchError as error:
            self.supervisor.stop()
            raise LaunchError(f"{error} {explain(chr(10).join(part.tail))}") from error

    def _prepare(self) -> None:
        digest = schema_digest(self.checkout.root)
        behind = self._bootstrap(digest)
        if behind or "DATABASE_SUPERUSER_URL" not in self.environment:
            # Otherwise the bootstrap has just made what preflight would look for.
            self._manage("preflight", hint="Preflight found something to mend first")
        if behind:
            self.supervisor.say("Bringing the database up to date ...")
            self._manage("migrate", "--verbosity=0", "--skip-checks", hint="The database could not be migrated")
            mark = [str(self.checkout.python), "-m", "crm.launch.bootstrap", "--mark-schema", digest]
            self._step(mark, "The migrated state could not be noted")
        self._collect_static()
        self._demo_data(fresh=behind)

    def _bootstrap(self, digest: str) -> bool:
        command = [str(self.checkout.python), "-m", "crm.launch.bootstrap", "--schema", digest]
        code, text = self.supervisor.step(command, env=self.environment, cwd=self.checkout.root)
        if code:
            raise LaunchError(f"The database could not be prepared: {explain(text)}")
        return text.strip() != "current"

    def _collect_static(self) -> None:
        root, static = self.checkout.root, self.checkout.var / "static"
        stamp = self.checkout.var / "static.stamp"
        digest = digest_of([root / RUNTIME_LOCK], digest_of_tree(root / "static"), str(static))
        if (static / "staticfiles.json").exists() and is_current(stamp, digest):
            return
        self.supervisor.say("Collecting static files ...")
        self._manage("collectstatic", "--noinput", "--clear", "--verbosity=0", hint="Static files were not collected")
        set_stamp(stamp, digest)

    def _demo_data(self, *, fresh: bool) -> None:
        stamp = self.checkout.var / "demo.stamp"
        if not preconditions.is_loopback(self.host):
            self._manage("preflight", "--public", hint=f"HOST={self.host} would let others reach this Keel")
            return
        if os.environ.get("KEEL_DEMO") == "0" or (stamp.exists() and not fresh):
            return
        self.supervisor.say("Making the demo data ...")
        self._manage("seed_demo", "--if-empty", hint="The demo data could not be made")
        set_stamp(stamp, "done")

    def _start_application(self) -> None:
        shutil.rmtree(self.checkout.var / "metrics", ignore_errors=True)
        (self.checkout.var / "metrics").mkdir(mode=0o700)
        parts = application_parts(
            self.checkout, self.environment, host=self.host, port=self.port, live_port=self.live_port
        )
        # What a person waits for has the processors to itself; the background follows.
        for part in parts[:2]:
            self.supervisor.start(part)
        if not self.supervisor.wait_until(self._ready, READY_PATIENCE):
            raise LaunchError(f"Keel did not become ready within {READY_PATIENCE:.0f} s: {self._readiness()}")
        for part in parts[2:]:
            self.supervisor.start(part)

    def _welcome(self) -> None:
        self.lock.tell(self.url)
        self.supervisor.say(f"\nKeel is ready at {self.url}")
        logins = self.checkout.var / "demo-logins.txt"
        if logins.exists():
            self.supervisor.say(logins.read_text().rstrip())
        self.supervisor.say("Stop it with Ctrl-C.\n")

    def _probe_host(self) -> str:
        if self.host in {"0.0.0.0", "::"}:  # noqa: S104 -- compared, not bound
            return "127.0.0.1"
        return f"[{self.host}]" if ":" in self.host else self.host

    def _ready(self) -> bool:
        return self._readiness() == "ok" and can_connect(self._probe_host().strip("[]"), self.live_port)

    def _readiness(self) -> str:
        connection = http.client.HTTPConnection(self._probe_host().strip("[]"), self.port, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Host": f"127.0.0.1:{self.port}"})
            answer = connection.getresponse()
            body = answer.read(2000).decode(errors="replace")
        except OSError as error:
            return f"/readyz does not answer ({error})"
        finally:
            connection.close()
        return "ok" if answer.status == 200 else body

    def _manage(self, *arguments: str, hint: str) -> None:
        self._step([str(self.checkout.python), "manage.py", *arguments], hint)

    def _step(self, command: list[str], hint: str) -> None:
        steps = environment.for_steps(self.environment)
        code, text = self.supervisor.step(command, env=steps, cwd=self.checkout.root)
        text = text.strip()
        if code:
            if "No space left" in text:
                text = explain(text)
            raise LaunchError(f"{hint}: {text if text.count(chr(10)) < 12 else text[-3000:]}")
        if text:
            self.supervisor.say(text)


def application_parts(
    checkout: Checkout, env: dict[str, str], *, host: str, port: int, live_port: int, threads: int = 2
) -> list[Part]:
    """Web, live stream, worker, beat and relay, in this order, as `make up`, browser tests and the bench run them."""
    own = environment.for_application(env)
    python = str(checkout.python)  # with -m: a script's first line would still name the place of a moved checkout
    granian = [python, "-m", "granian", "--host", host, "--no-ws", "--log-level", "warning"]
    granian += ["--respawn-failed-workers", "--respawn-interval", "1", "--workers-kill-timeout", "5"]
    celery = [python, "-m", "celery", "--app", "crm.config.celery", "--quiet", "--skip-checks"]
    beat_file = f"{own['KEEL_VAR']}/celerybeat-schedule"
    commands = {
        "web": [*granian, "--interface", "wsgi", "--port", str(port), "--workers", "2"]
        + ["--blocking-threads", str(threads), "crm.config.wsgi:application"],
        "live": [*granian, "--interface", "asgi", "--port", str(live_port), "--workers", "1"]
        + ["--loop", "asyncio", "crm.config.asgi:application"],
        "worker": [*celery, "worker", "--queues", QUEUES, "--concurrency", "2", "--loglevel", "WARNING"]
        + ["--without-gossip", "--without-mingle"],
        "beat": [*celery, "beat", "--schedule", beat_file, "--pidfile", "", "--loglevel", "WARNING"],
        "relay": [python, "manage.py", "relay"],
    }
    # The database's list of sessions says which part each one is of.
    return [Part(name, cmd, env={**own, "PGAPPNAME": name}, cwd=checkout.root) for name, cmd in commands.items()]


def schema_digest(root: Path) -> str:
    """Changes whenever `migrate` could have something to do."""
    paths = [*sorted(root.glob("*/migrations/*.py")), *sorted((root / "crm" / "tenancy").rglob("*.sql"))]
    return digest_of([*paths, root / RUNTIME_LOCK])[:24]


def can_connect(host: str, port: int) -> bool:
    """Whether something listens."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True
