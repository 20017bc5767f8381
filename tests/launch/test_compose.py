"""docker-compose.yml, read as Docker would."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from crm.launch.checkout import Checkout
from crm.launch.up import QUEUES

ROOT = Checkout.here().root
APPLICATION = ("web", "live", "worker", "beat", "relay")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return loaded


def test_compose_has_every_process_and_waits_for_the_migrate_job(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "valkey", "migrate", *APPLICATION}
    for name in APPLICATION:
        waits = services[name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert waits["valkey"] == {"condition": "service_healthy"}
    assert services["migrate"]["restart"] == "no"
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_compose_publishes_on_loopback_only(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"], "live": ["127.0.0.1:8001:8001"]}


def test_compose_gives_the_owner_and_superuser_to_the_migrate_job_alone(services: dict[str, Any]) -> None:
    for name in APPLICATION:
        environment = services[name]["environment"]
        assert "keel_app:" in environment["DATABASE_URL"]
        assert not {"DATABASE_OWNER_URL", "DATABASE_SUPERUSER_URL"} & set(environment)
        assert environment["DJANGO_SETTINGS_MODULE"] == "crm.config.settings.prod"
    assert {"DATABASE_OWNER_URL", "DATABASE_SUPERUSER_URL"} <= set(services["migrate"]["environment"])


def test_compose_worker_takes_every_queue(services: dict[str, Any]) -> None:
    command = services["worker"]["command"]
    assert command[command.index("--queues") + 1] == QUEUES


def test_compose_secrets_are_required_never_defaulted(services: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for secret in ("SECRET_KEY", "MASTER_KEYS", "POSTGRES_PASSWORD", "KEEL_APP_PASSWORD", "VALKEY_PASSWORD"):
        assert f"${{{secret}:?}}" in text
        assert f"${{{secret}:-" not in text


def test_compose_every_process_that_stays_says_whether_it_works(services: dict[str, Any]) -> None:
    # What web runs is what the image runs, and its check is the image's.
    assert "healthcheck" not in services["web"]
    assert "/readyz" in (ROOT / "Dockerfile").read_text().partition("HEALTHCHECK")[2]
    for name in {*services} - {"web", "migrate"}:
        check = services[name]["healthcheck"]
        assert "disable" not in check, name
        assert check["test"][0] in ("CMD", "CMD-SHELL"), name
    assert services["migrate"]["healthcheck"] == {"disable": True}  # it ends, and how is waited for


def test_compose_relay_is_well_while_its_heartbeat_is_young(services: dict[str, Any], tmp_path: Path) -> None:
    relay = services["relay"]
    heartbeat = relay["command"][relay["command"].index("--heartbeat") + 1]
    *_cmd, program, option, script = relay["healthcheck"]["test"]
    assert (program, option) == ("python", "-c")
    assert heartbeat.startswith("/tmp/")  # all else is read-only there
    here = tmp_path / "heartbeat"
    command = [sys.executable, "-c", script.replace(heartbeat, str(here))]

    def is_well() -> bool:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert not is_well()
    here.touch()
    assert is_well()
    long_ago = time.time() - 61
    os.utime(here, (long_ago, long_ago))
    assert not is_well()


def test_image_runs_as_an_unprivileged_user() -> None:
    final = (ROOT / "Dockerfile").read_text().split("FROM ")[-1]
    assert "\nUSER keel\n" in final
    assert final.index("USER keel") < final.index("CMD [")
