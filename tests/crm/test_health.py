"""Probes, request logs and metrics."""

import json
import logging
import subprocess
import sys

import pytest
import redis
from django.db import connection
from django.test import Client

from crm.launch.testcluster import ClusterInfo
from crm.views import health
from crm.web.logging import accepted_id, request_id
from tests.support.cluster import ROOT
from tests.support.servers import RunningKeel, answers, free_port


@pytest.mark.django_db
def test_database_of_the_suite_is_used_as_the_applications_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("keel_app", False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'keel_app'::regrole")
        assert cursor.fetchone() == (0,)


def test_healthz_asks_neither_database_nor_broker(client: Client) -> None:
    # Without the django_db mark, any query would fail this test.
    response = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_readyz_says_ok_to_a_stranger(client: Client) -> None:
    response = client.get("/readyz", headers={"host": "10.1.2.3"})
    assert response.status_code == 200
    assert response.json() == {"database": "ok", "broker": "ok", "migrations": "ok"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_readyz_names_the_broker_when_it_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = redis.Redis(port=free_port(), retry=None)
    monkeypatch.setattr(health, "client", lambda: nobody)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "ok", "broker": "unreachable (ConnectionError)", "migrations": "ok"}


@pytest.mark.django_db(transaction=True)
def test_readyz_names_the_database_when_it_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "no_such_database")
    response = client.get("/readyz")
    connection.close()
    assert response.status_code == 503
    assert response.json() == {
        "database": "unreachable (OperationalError)",
        "broker": "ok",
        "migrations": "not checked",
    }


@pytest.mark.django_db
def test_readyz_counts_migrations_that_are_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrations_seen_current", float("-inf"))
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda _self, _targets: [("a migration", False)])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"] == "1 not applied"


def test_request_id_of_a_proxy_is_kept_and_a_strange_one_replaced(client: Client) -> None:
    kept = client.get("/healthz", headers={"x-request-id": "proxy-1.2_3"})
    assert kept["X-Request-ID"] == "proxy-1.2_3"
    for strange in ("a b", "x" * 65, "line\nbreak", ""):
        made = accepted_id(strange)
        assert made != strange
        assert len(made) == 32
    assert request_id.get() == ""


@pytest.mark.django_db
def test_request_line_says_who_where_and_how_long(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="keel.request"):
        client.get("/no-such-page/?secret=1", headers={"x-request-id": "r1"})
    line = caplog.records[-1]
    assert (line.method, line.path, line.status) == ("GET", "/no-such-page/", 404)  # type: ignore[attr-defined]
    assert (line.organization, line.member) == ("", "")  # type: ignore[attr-defined]
    assert line.duration_ms > 0  # type: ignore[attr-defined]
    assert "secret" not in line.getMessage()


def test_log_lines_are_json_with_their_context() -> None:
    script = (
        "import logging.config; from crm.config.settings.helpers import logging_config\n"
        "logging.config.dictConfig(logging_config(level='INFO', form='json'))\n"
        "from crm.web.logging import request_id; request_id.set('r7')\n"
        "logging.getLogger('deals').info('moved %s', 3)"
    )
    env = {"DJANGO_SETTINGS_MODULE": "crm.config.settings.dev"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    line = json.loads(done.stdout)
    del line["time"]
    assert line == {
        "level": "INFO",
        "logger": "deals",
        "message": "moved 3",
        "request_id": "r7",
        "organization": "",
        "member": "",
    }


@pytest.mark.slow
def test_real_servers_answer_and_are_one_organism(running_keel: RunningKeel, cluster: ClusterInfo) -> None:
    port = int(running_keel.url.rsplit(":", 1)[1])
    live_port = int(running_keel.live_url.rsplit(":", 1)[1])
    assert answers(port, "/readyz") == 200
    assert answers(live_port, "/healthz") == 200
    assert answers(port, "/no-such-page/") == 404
