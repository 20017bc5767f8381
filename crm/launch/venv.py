"""The virtual environment, filled from a lock file."""

import importlib.util
import re
import shutil
import sys
from pathlib import Path

from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.processes import run
from crm.launch.stamps import digest_of, is_current, set_stamp

RUNTIME_LOCK = "requirements.lock"
DEVELOPMENT_LOCK = "requirements-dev.lock"
UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolution|Max retries|Temporary failure|ProxyError|SSLError"
    r"|No matching distribution|Could not fetch|timed out",
)


def ensure_venv(checkout: Checkout, lock: str = RUNTIME_LOCK) -> None:
    """Make `.venv` with exactly what the lock file pins, wheels only, every hash checked.

    Does nothing when the lock file has not changed. Raises LaunchError in one line when it cannot.
    """
    digest = lock_digest(checkout, lock)
    if checkout.python.exists() and is_current(_stamp(checkout, lock), digest):
        return
    require_venv_module()
    if not _works(checkout):
        print("Making the virtual environment ...", flush=True)
        shutil.rmtree(checkout.venv, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(checkout.venv)], "The virtual environment could not be made", checkout)
    print(f"Installing the libraries of {lock} (some minutes on the first run) ...", flush=True)
    _run(
        [str(checkout.python), "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:"]
        + ["--disable-pip-version-check", "--no-input", "--quiet", "--retries", "2", "--timeout", "20"]
        + ["--requirement", str(checkout.root / lock)],
        "The libraries could not be installed",
        checkout,
    )
    set_stamp(_stamp(checkout, lock), digest)
    if lock == DEVELOPMENT_LOCK and _pins(checkout, RUNTIME_LOCK) <= _pins(checkout, DEVELOPMENT_LOCK):
        set_stamp(_stamp(checkout, RUNTIME_LOCK), lock_digest(checkout, RUNTIME_LOCK))


def require_venv_module() -> None:
    """Raises LaunchError when this Python cannot make virtual environments with pip, as Debian's cannot at first."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise LaunchError(
            f"This Python has no venv module: install it (Debian and Ubuntu: apt install python{version}-venv), "
            "then run the command again."
        )


def lock_digest(checkout: Checkout, lock: str) -> str:
    """Changes with the lock file, with the interpreter and with the checkout's place, which a venv remembers."""
    return digest_of([checkout.root / lock], sys.version, str(checkout.venv))


def _stamp(checkout: Checkout, lock: str) -> Path:
    return checkout.venv / f"{lock}.stamp"


def _works(checkout: Checkout) -> bool:
    """Whether the environment's own Python starts, is this Python's version, and has pip."""
    if not checkout.python.exists():
        return False
    probe = "import sys, pip; print(sys.version)"
    code, output = run([checkout.python, "-c", probe], cwd=checkout.root)
    return code == 0 and output.strip() == sys.version.strip()


def _pins(checkout: Checkout, lock: str) -> set[str]:
    text = (checkout.root / lock).read_text()
    return set(re.findall(r"^([A-Za-z0-9._-]+(?:\[[^]]*\])?==[^ ;\\]+)", text, re.MULTILINE))


def _run(command: list[str], failure: str, checkout: Checkout) -> None:
    code, output = run(command, cwd=checkout.root)
    if code:
        raise LaunchError(f"{failure}: {reason(output)}")


def reason(output: str) -> str:
    """What an installer's output means, and what to do, in one line."""
    if "No space left" in output or "ENOSPC" in output:
        return "the disk is full. Free some space, then run the command again."
    if "DO NOT MATCH THE HASHES" in output or "EINTEGRITY" in output:
        return "a downloaded file is not the one the lock file names. Run the command again; if it stays, report it."
    if UNREACHABLE.search(output):
        return "the package registry does not answer. Check the network or the proxy, then run the command again."
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "npm err", "npm error"))]
    return (errors or lines or ["no output"])[-1 if not errors else 0]
