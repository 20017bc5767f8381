"""The check at start: it passes on the database that migrations make, and notices every hole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from crm.launch.bootstrap import bootstrap
from crm.launch.testcluster import ClusterInfo
from crm.tenancy import selfcheck
from tests.support.cluster import GIVEN_URLS, ROOT, drop, worker_database

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def connected_by(url: str) -> Iterator[None]:
    """The default connection leads elsewhere for a while."""
    given = dict(connection.settings_dict)
    parts = psycopg.conninfo.conninfo_to_dict(url)
    connection.close()
    connection.settings_dict.update(USER=parts["user"], PASSWORD=parts["password"], NAME=parts["dbname"])
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(given)


@pytest.fixture
def damage(cluster: ClusterInfo, worker_clone: str) -> Iterator[Any]:
    """`damage(statement, undo)`: changes the database as the superuser until the test ends."""
    undo: list[str] = []
    with psycopg.connect(cluster.superuser_url(worker_clone), autocommit=True) as superuser:

        def change(statement: str, back: str) -> None:
            undo.append(back)
            superuser.execute(statement)  # type: ignore[arg-type]

        yield change
        for statement in reversed(undo):
            superuser.execute(statement)  # type: ignore[arg-type]


def test_migrated_database_has_no_findings() -> None:
    assert selfcheck.findings() == []
    output = StringIO()
    call_command("check_tenancy", stdout=output)
    assert output.getvalue() == "Organisations are kept apart (RLS_MODE=forced, as keel_app).\n"


DAMAGES = {
    "no row-level security": (
        "ALTER TABLE contacts_contact DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE contacts_contact ENABLE ROW LEVEL SECURITY",
        "contacts_contact has no row-level security.",
    ),
    "not forced": (
        "ALTER TABLE deals_deal NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE deals_deal FORCE ROW LEVEL SECURITY",
        "deals_deal does not force row-level security on its owner.",
    ),
    "no policy": (
        "ALTER POLICY tenant ON crm_tag RENAME TO other",
        "ALTER POLICY other ON crm_tag RENAME TO tenant",
        "crm_tag has no policy that keeps organisations apart.",
    ),
    "open policy": (
        "CREATE POLICY wide ON crm_tag USING (true)",
        "DROP POLICY wide ON crm_tag",
        "crm_tag has a policy (wide) that lets every row through.",
    ),
    "bare table": (
        "CREATE TABLE stray (id uuid, org_id uuid)",
        "DROP TABLE stray",
        "stray has no row-level security.",
    ),
    "view": (
        "CREATE VIEW stray AS SELECT * FROM crm_tag",
        "DROP VIEW stray",
        "The view stray asks with its owner's rights: make it security_invoker.",
    ),
    "owner": (
        "CREATE TABLE stray (id int); ALTER TABLE stray OWNER TO keel_app",
        "DROP TABLE stray",
        "keel_app owns stray, and what is owned may be changed.",
    ),
    "audit log": (
        "GRANT INSERT ON crm_auditentry TO keel_app",
        "REVOKE INSERT ON crm_auditentry FROM keel_app",
        "keel_app may write the audit log (INSERT).",
    ),
    "schema": (
        "GRANT CREATE ON SCHEMA public TO keel_app",
        "REVOKE CREATE ON SCHEMA public FROM keel_app",
        "keel_app may create objects in the schema public.",
    ),
    "search path": (
        "ALTER FUNCTION keel_due_orgs(text) RESET search_path",
        "ALTER FUNCTION keel_due_orgs(text) SET search_path = pg_catalog, public, pg_temp",
        "keel_due_orgs(text) runs with its owner's rights and has no fixed search_path that ends in pg_temp.",
    ),
    "public function": (
        "GRANT EXECUTE ON FUNCTION keel_resolve_token(bytea) TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION keel_resolve_token(bytea) FROM PUBLIC",
        "keel_resolve_token(bytea) runs with its owner's rights, and everybody may run it.",
    ),
    "function that finds nothing": (
        "ALTER FUNCTION keel_due_orgs(text) OWNER TO keel_owner",
        # A change of owner takes the new owner's own right along.
        (
            "ALTER FUNCTION keel_due_orgs(text) OWNER TO keel_definer;"
            "GRANT EXECUTE ON FUNCTION keel_due_orgs(text) TO keel_owner, keel_app"
        ),
        "keel_due_orgs(text) belongs to keel_owner, who does not pass by row-level security: it would find nothing.",
    ),
}


def test_undoing_every_damage_leaves_rights_as_they_were(cluster: ClusterInfo, worker_clone: str) -> None:
    """Other tests go on with this database."""
    rights = (
        "SELECT c.oid::regclass::text, c.relacl::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT p.oid::regprocedure::text,"
        " (SELECT array_agg(a ORDER BY a) FROM unnest(p.proacl::text[]) a)::text FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1"
    )
    with psycopg.connect(cluster.superuser_url(worker_clone), autocommit=True) as superuser:
        before = superuser.execute(rights).fetchall()
        for change, back, _sentence in DAMAGES.values():
            superuser.execute(change)  # type: ignore[arg-type]
            superuser.execute(back)  # type: ignore[arg-type]
        assert superuser.execute(rights).fetchall() == before


@pytest.mark.parametrize("hole", DAMAGES)
def test_hole_is_found_and_refused(damage: Any, hole: str) -> None:
    change, back, sentence = DAMAGES[hole]
    damage(change, back)
    assert sentence in selfcheck.findings()
    with pytest.raises(CommandError, match="does not keep organisations apart"):
        call_command("check_tenancy")


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ("superuser", "is a superuser: use a role that is none."),
        ("owner", "keel_owner owns crm_organization, and what is owned may be changed."),
    ],
)
def test_another_role_is_refused(cluster: ClusterInfo, worker_clone: str, role: str, sentence: str) -> None:
    url = getattr(cluster, f"{role}_url")(worker_clone)
    with connected_by(url):
        assert any(found.endswith(sentence) for found in selfcheck.findings())


def test_member_of_a_mightier_role_is_refused(cluster: ClusterInfo, worker_clone: str) -> None:
    # Roles are the whole cluster's: other tests run beside this one, so nothing of it may be committed.
    with psycopg.connect(cluster.superuser_url(worker_clone)) as superuser:
        superuser.execute("GRANT keel_definer TO keel_app")
        superuser.execute("SET LOCAL SESSION AUTHORIZATION keel_app")
        found = [sentence for (sentence,) in superuser.execute(selfcheck._ROLE)]
        superuser.rollback()
    assert "keel_app may act as keel_definer, who passes by row-level security." in found


def test_empty_database_is_refused(cluster: ClusterInfo, worker_clone: str) -> None:
    name = f"{worker_clone}_empty"
    with psycopg.connect(cluster.superuser_url(worker_clone), autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {name}")
    try:
        with connected_by(cluster.app_url(name)):
            assert "There are no tables yet: run `manage.py migrate`." in selfcheck.findings()
    finally:
        with psycopg.connect(cluster.superuser_url(worker_clone), autocommit=True) as superuser:
            superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")


OWNER_MODE = """
import django
django.setup()
from crm import queries
from crm.events import emit_batch
from crm.models import AuditEntry, Tag
from crm.tenancy import selfcheck
from tests.factories import make_org

assert selfcheck.findings() == [], selfcheck.findings()
mine, other = make_org(), make_org()
with mine.system():
    Tag.objects.create(name="North")
    emit_batch("test.many", [mine.id])
    assert AuditEntry.objects.filter(table_name="crm_tag").count() == 1
with other.system():
    assert (Tag.objects.count(), AuditEntry.objects.filter(table_name="crm_tag").count()) == (0, 0)
assert queries.due_orgs("outbox") == [mine.id]
assert set(queries.due_orgs("all")) == {mine.id, other.id}
"""


def test_owner_mode_keeps_organisations_apart_without_a_role_that_bypasses(cluster: ClusterInfo) -> None:
    """RLS_MODE=owner, migrated from nothing: for hosts that grant no BYPASSRLS."""
    name = f"{worker_database()}_owned"
    bootstrap(cluster.superuser_url("postgres"), cluster.owner_url(name), cluster.app_url(name), template_maker=True)
    env = {
        **os.environ, GIVEN_URLS: "1", "RLS_MODE": "owner", "DATABASE_URL": cluster.app_url(name),
        "DATABASE_OWNER_URL": cluster.owner_url(name), "DJANGO_SETTINGS_MODULE": "crm.config.settings.test",
    }  # fmt: skip
    try:
        for command in (["manage.py", "migrate", "--verbosity=0", "--skip-checks"], ["-c", OWNER_MODE]):
            done = subprocess.run(
                [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        drop(cluster, name)


def test_modes_are_not_mixed(settings: Any) -> None:
    settings.RLS_MODE = "owner"
    assert "crm_tag forces row-level security on its owner" in "".join(selfcheck.findings())
    settings.RLS_MODE = "off"
    assert selfcheck.findings() == ["RLS_MODE is 'off': set `forced`, or `owner` where no role may have BYPASSRLS."]


STARTS = {
    "web": "import crm.config.wsgi",
    "live": "import crm.config.asgi",
    "relay": "from django.core.management import execute_from_command_line as run; run(['manage.py', 'relay'])",
    "worker": "from crm.config.celery import app; app.worker_main(['worker', '--pool', 'solo', '--loglevel', 'ERROR'])",
}


@pytest.mark.parametrize("part", STARTS)
def test_process_refuses_to_serve_beside_a_hole(damage: Any, part: str) -> None:
    change, back, sentence = DAMAGES["not forced"]
    damage(change, back)
    env = {**os.environ, GIVEN_URLS: "1"}
    done = subprocess.run(
        [sys.executable, "-c", STARTS[part]], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr
