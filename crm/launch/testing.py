"""`make test`: the suite on its own throwaway servers."""

import os
import signal
import subprocess
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
    preconditions.check_machine()
    preconditions.check_var(checkout.var)
    ensure_venv(checkout, DEVELOPMENT_LOCK)
    ensure_browser_libraries(checkout, development=True)
    cluster = TestCluster(checkout, shared=os.environ.get("KEEL_TEST_REUSE") == "1")
    process: subprocess.Popen[bytes] | None = None
    try:
        cluster.start()
        command = [str(checkout.python), "-m", "pytest", *_defaults(arguments, marks), *arguments]
        process = spawn(command, env=os.environ, cwd=checkout.root, output=None)
        return process.wait()
    except KeyboardInterrupt:
        if process is not None:
            stop(process, signal.SIGINT)
        return 130
    finally:
        cluster.close()


def _defaults(arguments: Sequence[str], marks: str) -> list[str]:
    workers = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2"]
    chosen = [] if "-m" in arguments else ["-m", marks]
    return [*workers, *chosen]
