"""Embedded Valkey on a unix socket: broker, cache, sessions and live events of one machine."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from crm.launch.errors import LaunchError
from crm.launch.homes import Home, private_directory
from crm.launch.processes import end_pids, pids_running_with

DATABASES = 64


class Valkey:
    """One data directory and the server on it."""

    def __init__(self, home: Home, *, persist: bool = True) -> None:
        self.home = home
        self.data = home.data / "valkey"
        self.socket = home.sockets / "valkey.sock"
        self.config = self.data / "valkey.conf"
        self.persist = persist

    def configure(self, password: str) -> None:
        """Make the directory and write the configuration; the password stands in a file of mode 0600 only."""
        private_directory(self.data, self.home.user)
        lines = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "requirepass": password,
            "dir": f'"{self.data}"',
            "databases": str(DATABASES),
            "appendonly": "yes" if self.persist else "no",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            "daemonize": "no",
        }
        new = self.config.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        if self.home.user:
            os.chown(new, self.home.user.pw_uid, self.home.user.pw_gid)
        new.rename(self.config)

    def command(self) -> list[str]:
        """The server's command line, for the foreground."""
        return [str(self.home.valkey_server), str(self.config)]

    def clear_the_way(self) -> None:
        """End a server of an earlier, killed run and remove its socket. See `Postgres.clear_the_way`."""
        # A running server shows its title, which holds the socket's path, in place of its arguments.
        if not end_pids(lambda: _servers_on(self.socket, self.config), signal.SIGTERM):
            raise LaunchError(f"An old Valkey on {self.socket} does not stop: end it, then try again.")
        self.socket.unlink(missing_ok=True)

    def wait_ready(self, alive: Callable[[], bool], patience: float = 30.0) -> None:
        """Wait until the socket accepts; raises LaunchError when the server ended or `patience` s have passed."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not alive():
                raise LaunchError("Valkey ended while starting: its last lines are above.")
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            time.sleep(0.02)
        raise LaunchError(f"Valkey did not answer within {patience:.0f} seconds: look at its lines above.")

    def url(self, password: str, database: int = 0) -> str:
        """A connection URL for the socket, as REDIS_URL takes it."""
        return f"unix://:{quote(password, safe='')}@{quote(str(self.socket))}?db={database}"


def _servers_on(socket_path: Path, config: Path) -> list[int]:
    titles = (f"unixsocket:{socket_path}", str(config))
    found = set(pids_running_with(titles[1]))
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            title = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if titles[0] in title.split() and int(name) != os.getpid():
            found.add(int(name))
    return sorted(found)
