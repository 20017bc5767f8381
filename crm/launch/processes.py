"""Starting and looking at processes."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

CHILD = Path(__file__).with_name("child.py")


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: int | IO[Any] | None,
    user: pwd.struct_passwd | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, bound to this process's life.

    A session of its own keeps the terminal's Ctrl-C away, so that the supervisor alone decides the order of
    stopping. Must be called from the main thread: the kernel watches the thread that forked, not the process.
    """
    who = f"{user.pw_uid}:{user.pw_gid}" if user else "-"
    wrapper = [sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), str(int(death_signal)), who]
    return subprocess.Popen(
        [*wrapper, *_absolute(command)],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a program to its end, bound to this process's life; returns its exit code and what it printed.

    When this process is interrupted, the program and all that it started are killed.
    """
    with tempfile.TemporaryFile() as output:
        process = spawn(command, env=os.environ if env is None else env, cwd=cwd, output=output)
        try:
            process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        output.seek(0)
        return process.returncode, output.read().decode(errors="replace")


def daemonise(command: Sequence[str | Path], *, output: IO[Any], user: pwd.struct_passwd | None = None) -> None:
    """Start `command` in the background, where it outlives this process."""
    who = f"{user.pw_uid}:{user.pw_gid}" if user else "-"
    subprocess.run(
        [sys.executable, "-I", "-S", str(CHILD), "0", "0", who, *_absolute(command)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        check=True,
    )


def _absolute(command: Sequence[str | Path]) -> list[str]:
    """The command with its program's full path. Raises FileNotFoundError when there is no such program."""
    program, *arguments = map(str, command)
    found = shutil.which(program)
    if found is None:
        raise FileNotFoundError(program)
    return [os.path.abspath(found), *arguments]  # noqa: PTH100 -- resolve() would leave the virtual environment


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
    """Ask the process to end and wait up to `patience` seconds, then kill it. Ended processes are left alone."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pids_working_in(directory: Path) -> list[int]:
    """Processes whose current directory is `directory`; PostgreSQL's all stand in their data directory."""
    wanted = str(directory.resolve())
    return [pid for pid in _all_pids() if _link(pid, "cwd") == wanted]


def pids_running_with(argument: str) -> list[int]:
    """Processes that have `argument` among their arguments, this one excepted."""
    found = []
    for pid in _all_pids():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in arguments and pid != os.getpid():
            found.append(pid)
    return found


def end_pids(find: Callable[[], Iterable[int]], how: signal.Signals, patience: float = 10.0) -> bool:
    """Signal what `find` returns until it returns nothing; False when something still runs after `patience` s."""
    deadline = time.monotonic() + patience
    while pids := list(find()):
        if time.monotonic() > deadline:
            return False
        for pid in pids:
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                continue
        time.sleep(0.1)
    return True


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""
