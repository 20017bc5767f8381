"""What is refused before anything starts, and in which words."""

import os
import platform
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crm.launch import preconditions, venv
from crm.launch.checkout import Checkout
from crm.launch.errors import LaunchError
from crm.launch.homes import private_directory
from crm.launch.secrets import deployment_env, ensure_secrets, read

ROOT = Checkout.here().root


def test_port_in_use_names_the_setting_that_moves_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=rf"Port {port} is in use .* make up LIVE_PORT="):
            preconditions.check_port("127.0.0.1", port, "LIVE_PORT")
    preconditions.check_port("127.0.0.1", port, "LIVE_PORT")


@pytest.mark.parametrize("text", ["eighty", "80a", "-1"])
def test_port_that_is_no_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(LaunchError, match=f"PORT={re.escape(text)} is not a port"):
        preconditions.read_port("PORT", 8000)


def test_var_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preconditions.check_var(tmp_path)
    stranger = os.geteuid() + 4321
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(LaunchError, match=rf"belongs to .*, you are user {stranger}: run the command as"):
        preconditions.check_var(tmp_path)


def test_directory_of_another_user_is_never_used_for_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squatted = tmp_path / "run"
    squatted.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4321)
    with pytest.raises(LaunchError, match="belongs to another user"):
        private_directory(squatted, None)


def test_symlink_in_place_of_a_socket_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LaunchError, match="belongs to another user"):
        private_directory(tmp_path / "run", None)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("crm.example.com", False)],
)
def test_loopback_is_told_from_outside(host: str, expected: bool) -> None:
    assert preconditions.is_loopback(host) is expected


def test_second_run_says_where_the_first_answers_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from crm.launch.preconditions import UpLock\n"
        "lock = UpLock(Path(sys.argv[1])); lock.acquire(); lock.tell('http://127.0.0.1:8123/')\n"
        "print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(
            LaunchError, match=r"already runs from this checkout and answers at http://127\.0\.0\.1:8123/"
        ):
            preconditions.UpLock(tmp_path).acquire()
        first.send_signal(signal.SIGKILL)
        first.wait()
    after = preconditions.UpLock(tmp_path)
    after.acquire()
    after.release()


def test_missing_venv_module_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"venv": object()}
    monkeypatch.setattr(venv.importlib.util, "find_spec", found.get)
    with pytest.raises(
        LaunchError, match=r"no venv module: install it \(Debian and Ubuntu: apt install python3\.\d+-venv"
    ):
        venv.require_venv_module()


@pytest.mark.parametrize(("system", "libc"), [("Darwin", ("", "")), ("Linux", ("", ""))])
def test_machine_that_cannot_run_the_wheels_is_sent_to_docker(
    system: str, libc: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    preconditions.check_machine()
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    with pytest.raises(LaunchError, match=r"docker-compose\.yml"):
        preconditions.check_machine()


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("WARNING: Retrying after connection broken by NewConnectionError", "the package registry does not answer"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the one the lock file names"),
        ("noise\nERROR: something else\nmore", "ERROR: something else"),
    ],
)
def test_installer_output_becomes_one_line(output: str, expected: str) -> None:
    assert venv.reason(output).startswith(expected) or expected in venv.reason(output)
    assert "\n" not in venv.reason(output)


def test_registry_that_does_not_answer_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    (tmp_path / "requirements.lock").write_text(f"absent-package==1.0 --hash=sha256:{'0' * 64}\n")
    checkout = Checkout(root=tmp_path, var=tmp_path / "var")
    with pytest.raises(LaunchError, match="the package registry does not answer"):
        venv.ensure_venv(checkout)
    assert checkout.python.exists()
    assert not (checkout.venv / "requirements.lock.stamp").exists()
    (tmp_path / "requirements.lock").write_text("")
    venv.ensure_venv(checkout)
    assert (checkout.venv / "requirements.lock.stamp").exists()


def test_secrets_are_random_private_and_kept(tmp_path: Path) -> None:
    made = ensure_secrets(tmp_path, data=tmp_path)
    path = tmp_path / "secrets.env"
    assert path.stat().st_mode & 0o777 == 0o600
    (tmp_path / "postgres").mkdir()
    assert ensure_secrets(tmp_path, data=tmp_path) == made == read(path)
    (tmp_path / "other").mkdir()
    other = ensure_secrets(tmp_path / "other", data=tmp_path / "other")
    assert not set(made.values()) & set(other.values())


def test_lost_secrets_of_existing_data_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    with pytest.raises(LaunchError, match="restore it from a backup"):
        ensure_secrets(tmp_path, data=tmp_path / "data")
    assert not (tmp_path / "secrets.env").exists()


def test_deployment_env_has_what_compose_asks_for() -> None:
    names = {line.split("=")[0] for line in deployment_env().splitlines()}
    asked = set(re.findall(r"\$\{([A-Z_]+):[?-]", (ROOT / "docker-compose.yml").read_text()))
    assert names == asked
