"""What `manage.py preflight` and the production settings refuse."""

import contextlib
import io
import os
import re
import subprocess
import sys

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from crm.launch.secrets import deployment_env
from crm.launch.testcluster import ClusterInfo
from crm.models import User
from tests.support.cluster import ROOT, worker_database


def preflight(*arguments: str) -> list[str]:
    """The findings of a run."""
    errors = io.StringIO()
    with contextlib.suppress(CommandError):
        call_command("preflight", *arguments, stderr=errors, no_color=True)
        assert errors.getvalue() == "", "a finding must fail the command"
    return errors.getvalue().splitlines()


@pytest.fixture(autouse=True)
def _in_database(db: None, settings: Settings, cluster: ClusterInfo) -> None:
    settings.DATABASE_OWNER_URL = cluster.owner_url(worker_database())


def test_preflight_finds_nothing_in_a_sound_set_up() -> None:
    assert preflight() == []


def test_preflight_refuses_an_application_role_that_bypasses_policies(
    cluster: ClusterInfo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_OWNER_URL = cluster.superuser_url(worker_database())
    assert preflight() == ["keel_super bypasses row-level security: let keel_owner own the schema."]


def test_preflight_refuses_missing_keys(settings: Settings) -> None:
    settings.SECRET_KEY, settings.MASTER_KEYS = "short", []
    assert preflight() == [
        "SECRET_KEY is missing or short: set 50 random characters.",
        "MASTER_KEYS is missing: set `k1:` and 32 random bytes in base64.",
    ]


def test_preflight_refuses_an_owner_of_another_database(cluster: ClusterInfo, settings: Settings) -> None:
    settings.DATABASE_OWNER_URL = ""
    assert preflight() == ["DATABASE_OWNER_URL is missing: migrations need it."]
    settings.DATABASE_OWNER_URL = cluster.owner_url("no_such_database")
    [finding] = preflight()
    assert finding.startswith("DATABASE_OWNER_URL does not lead to a database")


def test_preflight_refuses_a_missing_extension(cluster: ClusterInfo) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    with psycopg.connect(cluster.superuser_url(worker_database())) as superuser:
        # Other sessions see it only when committed, so this one asks inside its own transaction.
        superuser.execute("UPDATE pg_extension SET extname = 'renamed' WHERE extname = 'fuzzystrmatch'")
        from crm.management.commands.preflight import database_findings  # noqa: PLC0415 -- only this test needs it

        superuser.execute("SET ROLE keel_app")
        found = list(database_findings(superuser.cursor()))
        superuser.rollback()
    assert found == ["Extensions are missing (fuzzystrmatch): run crm/tenancy/sql/bootstrap.sql as a superuser."]


def test_preflight_of_a_public_server_refuses_demo_users() -> None:
    assert preflight("--public") == []
    User.objects.create(email="demo@example.com", is_demo=True)
    assert preflight() == []
    assert preflight("--public") == [
        "1 demo users with known passwords are in this database: use an empty one, or stay on 127.0.0.1."
    ]


def production(**changes: str) -> str:
    """What importing the production settings says; '' when they accept the environment."""
    made = dict(line.split("=", 1) for line in deployment_env().splitlines())
    base = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgres://keel_app:x@db/keel", "REDIS_URL": "redis://v"}
    env = {**base, **made, **changes}
    command = [sys.executable, "-c", "import crm.config.settings.prod"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return done.stderr.strip().rsplit("\n- ", 1)[-1] if done.returncode else ""


def test_production_settings_accept_what_the_deployment_env_makes() -> None:
    assert production() == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DEBUG": "1"}, "DEBUG is on"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "not-a-secret-no-server-runs-with-it" * 2}, "SECRET_KEY is missing"),
        ({"MASTER_KEYS": ""}, "MASTER_KEYS is missing"),
        ({"SESSION_COOKIE_SECURE": "0"}, "Cookies would travel without TLS"),
        ({"CSRF_COOKIE_SECURE": "0"}, "Cookies would travel without TLS"),
        ({"BASE_URL": "http://crm.example.com"}, "BASE_URL does not begin with https://"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS allows every name"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is missing"),
        ({"REDIS_URL": ""}, "REDIS_URL is missing"),
    ],
)
def test_production_settings_refuse(changes: dict[str, str], expected: str) -> None:
    assert re.match(re.escape(expected), production(**changes))
