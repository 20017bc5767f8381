"""`python3 -m crm.launch up|test|soak|bench|env [arguments]`."""

import ctypes
import errno
import os
import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- said before anything newer is imported
    sys.exit("Keel needs Python 3.11 or newer: install it, or run make with PYTHON=/path/to/python3.11.")

from crm.launch.checkout import Checkout
from crm.launch.child import PR_SET_PDEATHSIG
from crm.launch.errors import LaunchError
from crm.launch.secrets import deployment_env
from crm.launch.testing import run_bench, run_tests
from crm.launch.up import Up

USAGE = "usage: python3 -m crm.launch up | test [pytest arguments] | soak [pytest arguments] | bench [arguments] | env"


def main(arguments: list[str]) -> int:
    """Run one command; what goes wrong is told in one line."""
    die_with_make()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return dispatch(arguments)
    except LaunchError as error:
        print(f"keel: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print("keel: the disk is full: free some space, then run the command again.", file=sys.stderr)
    return 1


def dispatch(arguments: list[str]) -> int:
    """Choose the command."""
    checkout = Checkout.here()
    match arguments:
        case ["up"]:
            return Up(checkout).run()
        case ["test", *rest]:
            return run_tests(checkout, rest)
        case ["soak", *rest]:
            return run_tests(checkout, rest, marks="soak")
        case ["env"]:
            print(deployment_env(), end="")
            return 0
        case ["bench", *rest]:
            return run_bench(checkout, rest)
    print(USAGE, file=sys.stderr)
    return 2


def die_with_make() -> None:
    """Under make, end in good order when make itself is killed: it can pass no signal on then."""
    if "MAKELEVEL" in os.environ:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
