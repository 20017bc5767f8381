"""Everything that can be known to be wrong before anything is started, each told in one line."""

import errno
import fcntl
import ipaddress
import os
import platform
import pwd
import socket
import sys
from pathlib import Path
from typing import TextIO

from crm.launch.errors import LaunchError

OLDEST_PYTHON = (3, 11)


def check_machine() -> None:
    """Raises LaunchError unless this is Linux on x86-64 with glibc and a recent Python."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise LaunchError(f"Keel needs Python 3.11 or newer, this is {found}: run it with PYTHON=/path/to/python3.11.")
    system, machine, libc = platform.system(), platform.machine(), platform.libc_ver()[0]
    if (system, machine) != ("Linux", "x86_64") or libc != "glibc":
        raise LaunchError(
            f"`make` runs on Linux x86-64 with glibc; this is {system} {machine} {libc or 'without glibc'}: "
            "use docker-compose.yml instead."
        )


def check_var(var: Path) -> None:
    """Make the data directory; raises LaunchError when it belongs to another user or cannot be written."""
    try:
        var.mkdir(mode=0o755, parents=True, exist_ok=True)
    except PermissionError as error:
        raise LaunchError(f"{var} cannot be made: run the command as the checkout's owner.") from error
    owner = var.stat().st_uid
    if owner != os.geteuid():
        raise LaunchError(
            f"{var} belongs to {user_name(owner)}, you are {user_name(os.geteuid())}: run the command as "
            f"{user_name(owner)}, or move {var} away to begin afresh."
        )
    if not os.access(var, os.W_OK | os.X_OK):
        raise LaunchError(f"{var} cannot be written: give yourself the right (chmod u+rwx {var}).")


def user_name(uid: int) -> str:
    """A user's name, or the number where nobody has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


class UpLock:
    """Held while Keel runs from a checkout. The kernel lets go of it with the process, however that ends."""

    def __init__(self, var: Path) -> None:
        self._path = var / "up.lock"
        self._file: TextIO | None = None

    def acquire(self) -> None:
        """Take the lock; raises LaunchError that says where the other answers when it is taken."""
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            url = file.read().strip()
            file.close()
            where = f"answers at {url}" if url else "is just starting"
            raise LaunchError(
                f"Keel already runs from this checkout and {where}: use that one, or stop it with Ctrl-C there."
            ) from None
        file.truncate(0)
        self._file = file

    def tell(self, url: str) -> None:
        """Write where this run answers, for a second run to say."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.write(url)
            self._file.flush()

    def release(self) -> None:
        """Let another run begin."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def check_port(host: str, port: int, variable: str) -> None:
    """Raises LaunchError unless `port` can be listened on; `variable` is the setting that moves it."""
    if not 0 < port < 65536:
        raise LaunchError(f"{variable}={port} is not a port: choose a number from 1 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LaunchError(_port_reason(error, host, port, variable)) from error


def _port_reason(error: OSError, host: str, port: int, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program: stop it, or choose another with make up {variable}=..."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"Port {port} may only be used by root: choose one above 1023 with make up {variable}=..."
    return f"{host}:{port} cannot be listened on ({error.strerror}): choose another HOST or {variable}."


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on `host`. A name other than `localhost` counts as outside."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_port(variable: str, default: int) -> int:
    """A port from the environment; raises LaunchError when it is not a number."""
    text = os.environ.get(variable) or str(default)
    if not text.isdigit():
        raise LaunchError(f"{variable}={text} is not a port: choose a number from 1 to 65535.")
    return int(text)
