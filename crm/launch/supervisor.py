"""Runs several programs as one: one output, one end.

Single-threaded on purpose: the kernel ties a child's death signal to the thread that forked it.
"""

import contextlib
import os
import pwd
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from crm.launch.errors import LaunchError
from crm.launch.processes import spawn

QUICK = 10.0  # a part that ran for less than this many seconds has failed quickly
QUICK_FAILURES = 5  # so many in a row, and everything stops
LONGEST_PAUSE = 8.0  # seconds between two starts of a part
COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)


@dataclass
class Part:
    """One program of the whole. `last` parts (databases) are stopped after all others."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    cwd: Path
    user: pwd.struct_passwd | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    last: bool = False
    mute: tuple[str, ...] = ()  # lines with such a text are kept for the record of a failure but not shown
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float = 0.0
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=12))
    buffer: bytes = b""

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Starts parts, prints their lines, restarts those that end, and stops them all."""

    def __init__(self, output: TextIO | None = None) -> None:
        self.parts: list[Part] = []
        self.asked_to_stop = False
        self._output = output or sys.stdout
        self._colour = self._output.isatty() and "NO_COLOR" not in os.environ
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ, None)

    def watch_signals(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal ask for an orderly end."""
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)

    def start(self, part: Part) -> None:
        """Start a part; it is watched from now on."""
        if part not in self.parts:
            self.parts.append(part)
        part.process = spawn(
            part.command,
            env=part.env,
            cwd=part.cwd,
            output=subprocess.PIPE,
            user=part.user,
            death_signal=part.death_signal,
        )
        part.started, part.restart_at = time.monotonic(), 0.0
        assert part.process.stdout is not None
        os.set_blocking(part.process.stdout.fileno(), False)
        self._selector.register(part.process.stdout, selectors.EVENT_READ, part)

    def poll(self, seconds: float) -> None:
        """Print what comes within `seconds` and look after the parts.

        Raises LaunchError when a part keeps failing, and KeyboardInterrupt when an end was asked for.
        """
        for key, _events in self._selector.select(seconds):
            if key.data is None:
                self._drain_wakeups()
            else:
                self._read(key.data)
        if self.asked_to_stop:
            raise KeyboardInterrupt
        now = time.monotonic()
        for part in self.parts:
            if part.restart_at:
                if now >= part.restart_at:
                    self.start(part)
            elif part.process is not None and part.process.poll() is not None:
                self._ended(part)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Poll until `ready()`; False when it has not come true within `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                return False
            self.poll(0.1)
        return True

    def step(self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> tuple[int, str]:
        """Run a program to its end while looking after the parts; returns its exit code and what it printed."""
        with tempfile.TemporaryFile() as output:
            process = spawn(command, env=env, cwd=cwd, output=output)
            try:
                while process.poll() is None:
                    self.poll(0.02)
            except BaseException:
                process.kill()
                process.wait()
                raise
            output.seek(0)
            return process.returncode, output.read().decode(errors="replace")

    def run(self) -> None:
        """Look after the parts until somebody asks for the end or a part keeps failing."""
        while True:
            self.poll(1.0)

    def stop(self, patience: float = 12.0) -> None:
        """Stop every part, databases last; what has not ended after `patience` seconds is killed."""
        for last in (False, True):
            group = [part for part in reversed(self.parts) if part.last is last and part.process is not None]
            self._stop_group(group, patience)

    def say(self, text: str) -> None:
        """Print a line of the supervisor's own. A terminal that went away is no reason to fail."""
        with contextlib.suppress(OSError, ValueError):
            self._output.write(f"{text}\n")
            self._output.flush()

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self.asked_to_stop = True

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 64):
                pass

    def _read(self, part: Part) -> None:
        assert part.process is not None
        assert part.process.stdout is not None
        try:
            data = os.read(part.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(part.process.stdout)
            part.process.stdout.close()
            return
        *lines, part.buffer = (part.buffer + data).split(b"\n")
        for line in lines:
            self._line(part, line.decode(errors="replace").rstrip())

    def _line(self, part: Part, text: str) -> None:
        part.tail.append(text)
        if any(quiet in text for quiet in part.mute):
            return
        name = f"{part.name:<8} |"
        if self._colour:
            colour = COLOURS[self.parts.index(part) % len(COLOURS)]
            name = f"\033[{colour}m{name}\033[0m"
        self.say(f"{name} {text}")

    def _ended(self, part: Part) -> None:
        assert part.process is not None
        code = part.process.returncode
        self._kill_rest(part)
        self._close_output(part)
        quick = time.monotonic() - part.started < QUICK
        part.failures = part.failures + 1 if quick else 1
        if part.failures >= QUICK_FAILURES:
            lines = "\n".join(f"    {line}" for line in part.tail)
            raise LaunchError(f"{part.name} ended {part.failures} times in a row; its last lines:\n{lines}")
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (part.failures - 1))
        self._line(part, f"ended with {describe(code)}, starting again in {pause:g} s")
        part.restart_at = time.monotonic() + pause

    def _stop_group(self, group: list[Part], patience: float) -> None:
        for part in group:
            if part.running:
                assert part.process is not None
                part.process.send_signal(part.stop_signal)
        deadline = time.monotonic() + patience
        while any(part.running for part in group) and time.monotonic() < deadline:
            for key, _events in self._selector.select(0.05):
                if key.data is None:
                    self._drain_wakeups()
                else:
                    self._read(key.data)
        for part in group:
            assert part.process is not None
            if part.running:
                self._line(part, "did not stop in time and was killed")
                part.process.kill()
            part.process.wait()
            self._kill_rest(part)
            self._close_output(part)

    def _kill_rest(self, part: Part) -> None:
        # A part leads a session and process group of its own; its children must not outlive it.
        assert part.process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(part.process.pid, signal.SIGKILL)

    def _close_output(self, part: Part) -> None:
        assert part.process is not None
        stream = part.process.stdout
        if stream is None or stream.closed:
            return
        self._read(part)
        if not stream.closed:
            self._selector.unregister(stream)
            stream.close()


def describe(code: int) -> str:
    """An exit code in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
