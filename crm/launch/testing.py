"""`make test` and `make bench`: what developers run, on throwaway servers."""

import os
import signal
from collections.abc import Sequence

from crm.launch import preconditions
from crm.launch.browserlibs import ensure_browser_libraries
from crm.launch.checkout import Checkout
from crm.launch.processes import spawn, stop
from crm.launch.testcluster import TestCluster
from crm.launch.venv import DEVELOPMENT_LOCK, ensure_venv


def run_tests(checkout: Checkout, arguments: Sequence[str], *, marks: str = "not soak") -> int:
    """Prepare what the suite needs and run pytest on two workers; returns pytest's exit code.

    `arguments` go to pytest; a `-n` or `-m` among them replaces ours.
    """
    prepare(checkout)
    cluster = TestCluster(checkout, shared=os.environ.get("KEEL_TEST_REUSE") == "1")
    try:
        cluster.start()
        return foreground(checkout, ["-m", "pytest", *_defaults(arguments, marks), *arguments])
    finally:
        cluster.close()


def run_bench(checkout: Checkout, arguments: Sequence[str]) -> int:
    """Measure; returns the exit code of `python -m bench`, which gets `arguments`."""
    prepare(checkout)
    return foreground(checkout, ["-m", "bench", *arguments])


def prepare(checkout: Checkout) -> None:
    """Everything a developer's command needs, once."""
    preconditions.check_machine()
    preconditions.check_var(checkout.var)
    ensure_venv(checkout, DEVELOPMENT_LOCK)
    ensure_browser_libraries(checkout, development=True)


def foreground(checkout: Checkout, arguments: Sequence[str]) -> int:
    """Run the environment's Python on this terminal, bound to this process's life; returns its exit code."""
    process = spawn([checkout.python, *arguments], env=os.environ, cwd=checkout.root, output=None)
    try:
        return process.wait()
    except KeyboardInterrupt:
        stop(process, signal.SIGINT)
        return 130


def _defaults(arguments: Sequence[str], marks: str) -> list[str]:
    workers = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2"]
    chosen = [] if "-m" in arguments else ["-m", marks]
    return [*workers, *chosen]
