"""Work that takes long, measured as a whole: seconds from asking for it to its end."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from bench import bulk, names
from bench.counters import CpuMeter
from bench.people import Person
from bench.servers import free_port, status
from bench.timing import PATIENCE, Job, actor_of, judge
from contacts.actions import imports
from contacts.models.importing import ImportStatus
from crm.launch.checkout import Checkout
from crm.tenancy.context import org_context

ROWS = 100_000
HEADER = (
    "Record ID", "First Name", "Last Name", "Email", "Phone Number", "Lead Status", "Create Date", "Lifecycle Stage",
    "Job Title", "Company Name", "City", "Country/Region",
)  # fmt: skip


def import_contacts(person: Person, meter: CpuMeter, *, rows: int = ROWS, bar: float = 90.0) -> Job:
    """Imports a HubSpot export of so many contacts, from the upload until the job says that it is done."""
    file = io.BytesIO(export(rows))
    before, started = meter.read(), time.monotonic()
    with org_context(actor_of(person)) as acting:
        job = imports.upload_import(file, "hubspot-contacts.csv", acting=acting)
        imports.start_import(job.id, acting=acting)
    while True:
        with org_context(actor_of(person)) as acting:
            job = imports.get_import(job.id, acting)
        if job.status in (ImportStatus.DONE, ImportStatus.FAILED) or time.monotonic() - started > PATIENCE:
            break
        time.sleep(0.5)
    spent = meter.read() - before
    made = Job(
        key="import",
        label=f"Import of {rows:,} contacts",
        seconds=round(time.monotonic() - started, 1),
        cpu_seconds=round(spent.background + spent.database, 1),
        rows=rows,
        done=job.created + job.updated,
        bar_seconds=bar,
    )
    judge(made, job.status == ImportStatus.DONE)
    return made


def second_start(_person: Person, _meter: CpuMeter, *, bar: float = 8.0) -> Job:
    """A `make up` in a place that has run before, from the command until /readyz answers.

    It runs beside the bench's own servers, on other ports and with data of its own.
    """
    port, live_port, seconds = free_port(), free_port(), []
    with tempfile.TemporaryDirectory(prefix="keel-start-") as var:
        settings = {"KEEL_VAR": var, "KEEL_DEMO": "0", "PORT": str(port), "LIVE_PORT": str(live_port)}
        env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | settings
        for _first_and_second in range(2):
            started = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "crm.launch", "up"], env=env, cwd=Checkout.here().root,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            while status(port, "/readyz") != 200 and process.poll() is None and time.monotonic() - started < PATIENCE:
                time.sleep(0.05)
            seconds.append(time.monotonic() - started)
            process.terminate()
            ended = process.wait(60)
    made = Job("start", "Second `make up` until it answers", round(seconds[1], 1), 0.0, 0, 0, bar)
    judge(made, ended == 0)
    return made


def export(rows: int) -> bytes:
    """A contacts file as HubSpot exports it; nobody in it is in the loaded data."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    first, last, stems = names.FIRST, names.LAST, names.STEMS
    for n in range(rows):
        stem = stems[n % len(stems)]
        email = f"imported{n}@{_plain(stem)}.example"
        who = [n + 1, first[n % len(first)], last[n // len(first) % len(last)], email, f"+4722{n:06}"]
        what = ["NEW", "2026-01-15 10:30", "lead", names.TITLES[n % len(names.TITLES)], stem]
        place = n % len(names.CITIES)
        writer.writerow([*who, *what, names.CITIES[place], names.COUNTRIES[place]])
    return text.getvalue().encode()


def _plain(stem: str) -> str:
    return "".join(letter for letter in stem.lower() if letter.isalnum())


Measure = Callable[[Person, CpuMeter], Job]
# By key, as the rows of requests; a later issue adds its jobs here.
JOBS: dict[str, Measure] = {
    "import": import_contacts, "start": second_start, "bulk": bulk.assign, "undo": bulk.undo,
}  # fmt: skip
