"""`python -m bench --size medium [--check]`; see docs/bench.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django

from bench.cluster import Cluster
from bench.load import Loaded
from bench.scale import SCALES
from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError

ROLES = ("rep", "manager", "admin")


def main() -> int:
    """Loads, measures, prints, saves. Returns 1 when `--check` finds a broken bar."""
    options = arguments()
    checkout = Checkout.here()
    results = checkout.var / "bench" / "results"
    if options.report:
        return write_report(checkout.root / "docs" / "bench.md", results)
    try:
        with (cluster := Cluster(checkout, SCALES[options.size])).running():
            cluster.prepare(say)
            return 0 if options.load_only else measure(cluster, options, results)
    except LaunchError as error:
        print(f"bench: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", choices=sorted(SCALES), default="small")
    parser.add_argument("--check", action="store_true", help="end with 1 when a bar is broken")
    parser.add_argument("--rows", default="", help="only these, by key, with commas (bench/rows.py)")
    parser.add_argument("--roles", default=",".join(ROLES), help="only these, with commas")
    parser.add_argument("--jobs", help="only these, with commas (bench/jobs.py); by default all of them from medium on")
    parser.add_argument("--requests", type=int, default=240, help="measured requests of each row and role")
    parser.add_argument("--statements", action="store_true", help="print the statements of each row")
    parser.add_argument("--load-only", action="store_true", help="make the data and stop")
    parser.add_argument("--report", action="store_true", help="write the last results into docs/bench.md and stop")
    return parser.parse_args()


def measure(cluster: Cluster, options: argparse.Namespace, results: Path) -> int:
    """Runs all rows over a prepared cluster."""
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL"):
        os.environ.pop(name, None)
    os.environ.update(cluster.environment(Loaded.COPY, 8000, 8001) | {"LOG_LEVEL": "WARNING"})
    django.setup()
    from bench import report  # noqa: PLC0415 -- models are read once Django is set up
    from bench.jobs import JOBS  # noqa: PLC0415 -- as above
    from bench.run import Wanted, run  # noqa: PLC0415 -- as above

    rows = [key for key in options.rows.split(",") if key]
    jobs = options.jobs
    if jobs is None:
        jobs = "" if rows or options.size == "small" else ",".join(JOBS)
    wanted = Wanted(options.requests, rows, options.roles.split(","), jobs.split(","), options.statements)
    result = run(cluster, cluster.scale, wanted, say)
    path = result.save(results)
    print(f"\n{report.table(result)}\n")
    for note in report.notes(result):
        print(note)
    broken = result.broken
    small = report.latest(results).get("small")
    if small and result.size == "medium":
        broken += report.growth(small, result)
    for text in broken:
        print(f"Over the bar: {text}")
    print(f"Saved as {path.relative_to(cluster.checkout.root) if path.is_relative_to(cluster.checkout.root) else path}")
    return 1 if options.check and broken else 0


def write_report(page: Path, results: Path) -> int:
    """Writes the newest results into the documentation."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.config.settings.dev")
    django.setup()
    from bench import report  # noqa: PLC0415 -- models are read once Django is set up

    report.write_docs(page, report.latest(results))
    print(f"Written: {page}")
    return 0


def say(text: str) -> None:
    """Progress, as it comes."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
