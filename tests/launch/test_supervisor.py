"""Parts that end, fail, hang, and lose their supervisor."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.supervisor import Part, Supervisor

ROOT = Checkout.here().root
ENV = {"PATH": os.environ["PATH"]}


def part(name: str, script: str, **more: object) -> Part:
    return Part(name, [sys.executable, "-u", "-c", script], env=ENV, cwd=ROOT, **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but is not yet collected by its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def gone(pids: list[int]) -> bool:
    """Whether all of them end within five seconds."""
    deadline = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_part_that_ends_is_started_again() -> None:
    output = io.StringIO()
    supervisor = Supervisor(output)
    short = part("short", "import os; print('pid', os.getpid())")
    supervisor.start(short)
    assert supervisor.wait_until(lambda: output.getvalue().count("pid") == 2, 10)
    supervisor.stop()
    assert "short    | ended with exit code 0, starting again in 0.5 s" in output.getvalue()


def test_part_that_keeps_failing_stops_everything_with_its_last_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.launch.supervisor.LONGEST_PAUSE", 0.05)
    supervisor = Supervisor(io.StringIO())
    supervisor.start(part("steady", "import time; time.sleep(60)"))
    supervisor.start(part("broken", "print('the reason'); raise SystemExit(3)"))
    with pytest.raises(LaunchError, match=r"broken ended 5 times in a row; its last lines:\n.*the reason"):
        supervisor.wait_until(lambda: False, 20)
    supervisor.stop()
    assert [each.running for each in supervisor.parts] == [False, False]


def test_stop_ends_databases_last_and_kills_what_hangs() -> None:
    output = io.StringIO()
    supervisor = Supervisor(output)
    say = "import signal, sys, time\ndef end(*_):\n    print('bye'); sys.exit(0)\n"
    supervisor.start(
        part("base", f"{say}signal.signal(2, end); print('up'); time.sleep(60)", last=True, stop_signal=signal.SIGINT)
    )
    supervisor.start(part("web", f"{say}signal.signal(15, end); print('up'); time.sleep(60)"))
    supervisor.start(
        part("deaf", "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)")
    )
    assert supervisor.wait_until(lambda: output.getvalue().count("up") == 3, 10)
    supervisor.stop(patience=0.5)
    lines = [line for line in output.getvalue().splitlines() if "up" not in line]
    assert lines == ["web      | bye", "deaf     | did not stop in time and was killed", "base     | bye"]


def test_stop_leaves_no_grandchild() -> None:
    output = io.StringIO()
    supervisor = Supervisor(output)
    fork = "import os, time\npid = os.fork()\nif pid: print('child', pid)\ntime.sleep(60)"
    supervisor.start(part("forks", fork))
    assert supervisor.wait_until(lambda: "child" in output.getvalue(), 10)
    grandchild = int(output.getvalue().split()[-1])
    assert alive(grandchild)
    supervisor.stop()
    assert gone([grandchild])


def test_sigterm_asks_for_an_orderly_end() -> None:
    script = (
        "import io, os, signal, sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path; from crm.launch.supervisor import Part, Supervisor\n"
        "s = Supervisor(); s.watch_signals()\n"
        "s.start(Part('nap', ['sleep', '60'], env=dict(os.environ), cwd=Path('.')))\n"
        "print('ready', s.parts[0].process.pid, flush=True)\n"
        "try:\n    s.run()\nexcept KeyboardInterrupt:\n    s.stop(); print('stopped', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True) as run:
        assert run.stdout is not None
        child = int(run.stdout.readline().split()[1])
        run.terminate()
        assert run.stdout.read() == "stopped\n"
    assert not alive(child)


def test_killed_supervisor_leaves_no_child() -> None:
    script = (
        "import os, sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path; from crm.launch.supervisor import Part, Supervisor\n"
        "s = Supervisor()\n"
        "for n in range(3): s.start(Part('nap', ['sleep', '60'], env=dict(os.environ), cwd=Path('.')))\n"
        "print(*[p.process.pid for p in s.parts], flush=True); s.run()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True) as run:
        assert run.stdout is not None
        children = [int(pid) for pid in run.stdout.readline().split()]
        assert len(children) == 3
        time.sleep(0.3)  # each child asks the kernel for its death signal before it becomes `sleep`
        run.kill()
        run.wait()
    assert gone(children)
