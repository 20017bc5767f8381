"""Every table is fenced, every relation between tenant rows carries the organisation, and both hold when tried."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.utils import DatabaseError, ProgrammingError
from psycopg import sql

from crm.launch.postgres import SUPERUSER
from crm.launch.testcluster import ClusterInfo
from crm.models import AuditEntry, Organization, OutboxEvent, Share
from crm.tenancy.context import Actor, elevated, org_context
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.models import TenantModel
from tests.factories import Org, make_org
from tests.security import rows

pytestmark = pytest.mark.django_db(transaction=True)

# What belongs to no organisation: people and what signs them in, and what libraries bring.
GLOBAL_MODELS = {
    "account.EmailAddress",
    "account.EmailConfirmation",
    "auth.Group",
    "auth.Group_permissions",
    "auth.Permission",
    "contenttypes.ContentType",
    "crm.RateLimit",
    "crm.Session",
    "crm.User",
    "guardian.GroupObjectPermission",
    "guardian.UserObjectPermission",
    "sessions.Session",
}
# An organisation's, though not TenantModel: the tenant itself, and two logs with their own keys.
OWN_SHAPE = {"crm.AuditEntry", "crm.Organization", "crm.OutboxEvent"}
# Nobody needs a history of these: logs themselves, deliveries, inboxes, secrets that open one thing once, words that
# repeat what records say; entries of the recycle bin repeat names of records whose deletion is in the log.
UNAUDITED = {
    "crm_auditentry",
    "crm_binentry",
    "crm_bulkpart",
    "crm_bulkrun",
    "crm_changeset",
    "crm_externalid",
    "crm_notification",
    "crm_organization",
    "crm_outboxevent",
    "crm_sealedvalue",  # would put the values into the log
    "crm_searchword",
    "crm_token",
    "crm_uniquevalue",
    "crm_viewmark",  # which views somebody has pinned
    "contacts_importjob",
    "contacts_importrow",
    "deals_stagechange",
}


# Rows of these are their owner's alone, whatever others reach.
PERSONAL_ALONE = {"crm_savedview", "crm_viewmark"}


def own_models() -> list[type[models.Model]]:
    return [
        model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy and model._meta.managed
    ]


def tenant_models() -> list[type[models.Model]]:
    return [model for model in own_models() if issubclass(model, TenantModel)]


def fenced_tables() -> list[str]:
    return sorted(
        model._meta.db_table
        for model in own_models()
        if issubclass(model, TenantModel) or model._meta.label in OWN_SHAPE
    )


def relations() -> list[models.ForeignKey]:
    """Every foreign key of a tenant model to another one."""
    return [
        field
        for model in tenant_models()
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantModel)
    ]


def label(field: models.ForeignKey) -> str:
    return f"{field.model._meta.db_table}.{field.column}"


def query(statement: str, *params: object) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


# ---------------------------------------------------------------- every model


def test_every_model_is_a_tenant_row_or_known_to_be_global() -> None:
    labels = {model._meta.label for model in own_models() if not issubclass(model, TenantModel)}
    assert labels == (GLOBAL_MODELS | OWN_SHAPE) & {model._meta.label for model in own_models()}


def test_no_many_to_many_is_made_by_django() -> None:
    """Django's own join tables have no organisation."""
    made = [
        m._meta.label for m in own_models() if m._meta.auto_created and m._meta.app_label not in ("auth", "guardian")
    ]
    assert made == []


def test_every_tenant_table_forces_row_level_security_and_has_policies() -> None:
    found = query(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,"
        " ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid) FROM pg_class c"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    )
    known = {name: (enabled, forced, set(policies)) for name, enabled, forced, policies in found}
    for table in fenced_tables():
        enabled, forced, policies = known[table]
        assert (table, enabled, forced, "tenant" in policies) == (table, True, True, True)
        if table not in ("crm_auditentry", "crm_organization"):
            assert {"may_insert", "may_update", "may_delete"} <= policies, table


def test_table_with_an_organisation_is_a_models() -> None:
    found = query(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'org_id' AND table_schema = 'public'"
    )
    assert {name for (name,) in found} | {"crm_organization"} == set(fenced_tables())


def test_records_with_an_owner_have_a_visibility_policy() -> None:
    with_policy = {
        name for (name,) in query("SELECT polrelid::regclass::text FROM pg_policy WHERE polname = 'visible'")
    }
    owned = {m._meta.db_table for m in tenant_models() if any(f.name == "owner" for f in m._meta.local_fields)}
    assert owned - with_policy == set()


def test_personal_models_are_the_ones_whose_policy_lets_readers_write() -> None:
    statement = "SELECT polrelid::regclass::text, pg_get_expr(polwithcheck, polrelid) FROM pg_policy WHERE polname = 'may_insert'"
    personal = {table for table, check in query(statement) if "app_member()" in check}
    assert personal == {m._meta.db_table for m in tenant_models() if m.PERSONAL}


def test_every_tenant_unique_constraint_carries_the_organisation() -> None:
    found = query(
        """
        SELECT c.relname, i.indexrelid::regclass::text, i.indisprimary,
               ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey))
          FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
        """
    )
    tables = {model._meta.db_table for model in tenant_models()}
    without = {
        (table, tuple(columns)) for table, _index, primary, columns in found
        if table in tables and not primary and "org_id" not in columns
    }  # fmt: skip
    # A token is looked up before its organisation is known, and 256 random bits don't collide.
    assert without == {("crm_token", ("digest",))}


def test_every_tenant_table_is_audited_or_known_not_to_be() -> None:
    found = query(
        "SELECT tgrelid::regclass::text, array_agg(tgname::text ORDER BY tgname) FROM pg_trigger"
        " WHERE tgname LIKE 'audit_%%' GROUP BY 1"
    )
    assert dict(found) == {
        table: ["audit_delete", "audit_insert", "audit_update"] for table in fenced_tables() if table not in UNAUDITED
    } | {"crm_organization": ["audit_update"]}  # it is made once, at the sign-up, and not deleted
    assert set(fenced_tables()) >= UNAUDITED


# ---------------------------------------------------------------- every relation


def test_every_relation_is_a_foreign_key_over_the_organisation() -> None:
    found = query(
        """
        SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, c.convalidated,
               ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, o)
                       JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.o),
               ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, o)
                       JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.o)
          FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
        """
    )
    tables = set(fenced_tables())
    in_database = {
        (table, columns[-1], to)
        for table, to, validated, columns, there in found
        if table in tables and to in tables and columns[0] == "org_id" and there == ["org_id", "id"] and validated
    }
    in_models = {
        (field.model._meta.db_table, field.column, field.related_model._meta.db_table) for field in relations()
    }
    assert in_database == in_models
    plain = {
        (table, to)
        for table, to, _valid, columns, _there in found
        if table in tables and to in tables and len(columns) == 1
    }
    assert plain == set()


def test_every_relation_between_tenant_rows_is_a_tenant_foreign_key() -> None:
    assert [label(field) for field in relations() if not isinstance(field, TenantForeignKey)] == []


@cache
def _relation_labels() -> dict[str, models.ForeignKey]:
    return {label(field): field for field in relations()}


@pytest.mark.parametrize("name", sorted(_relation_labels()))
def test_row_cannot_point_at_another_organisations(name: str) -> None:
    field = _relation_labels()[name]
    mine, other = make_org(), make_org()
    with other.system():
        foreign = rows.make(field.related_model)
    with mine.system():
        row, own = rows.make(field.model), rows.make(field.related_model)
    also = {"member_id": None} if issubclass(field.model, Share) and field.name == "team" else {}  # one grantee
    with mine.system(), pytest.raises(IntegrityError, match="_tenant_fk"), transaction.atomic():
        field.model._base_manager.filter(pk=row.pk).update(**also, **{field.attname: foreign.pk})
    with mine.system():
        kept = field.model._base_manager.filter(pk=row.pk)
        assert getattr(kept.get(), field.attname) == getattr(row, field.attname) != foreign.pk
        # The same with a row of one's own is taken, so it was the organisation that was refused.
        assert kept.update(**also, **{field.attname: own.pk}) == 1


# ---------------------------------------------------------------- every table, tried


@pytest.fixture
def filled() -> tuple[Org, Org]:
    """Two organisations with a row in every tenant table."""
    orgs = make_org(), make_org()
    for org in orgs:
        with org.system():
            for model in tenant_models():
                rows.make(model)
            rows.make(OutboxEvent)
            assert AuditEntry.objects.exists()
    return orgs


def test_raw_sql_without_an_organisation_returns_no_row(filled: tuple[Org, Org]) -> None:
    with transaction.atomic():
        found = {table: query(f"SELECT count(*) FROM {table}")[0][0] for table in fenced_tables()}
    assert found == dict.fromkeys(fenced_tables(), 0)


def test_raw_sql_in_an_organisation_returns_its_own_rows_only(filled: tuple[Org, Org]) -> None:
    mine, other = filled
    with mine.system():
        for table in fenced_tables():
            column = "id" if table == "crm_organization" else "org_id"
            found = {org_id for (org_id,) in query(f"SELECT DISTINCT {column} FROM {table}")}
            assert (table, found) == (table, {mine.id})
            assert query(f"SELECT count(*) FROM {table} WHERE {column} = %s", other.id) == [(0,)]


def test_raw_writes_in_an_organisation_touch_its_own_rows_only(
    filled: tuple[Org, Org], cluster: ClusterInfo, worker_clone: str
) -> None:
    mine, other = filled
    tables = [table for table in fenced_tables() if table not in ("crm_auditentry", "crm_organization")]

    def count(org_id: UUID) -> dict[str, int]:
        with psycopg.connect(cluster.superuser_url(worker_clone)) as superuser:
            statement = sql.SQL("SELECT count(*) FROM {} WHERE org_id = %s")
            return {t: _one(superuser.execute(statement.format(sql.Identifier(t)), [org_id])) for t in tables}

    before = count(other.id)
    assert min(before.values()) > 0
    with mine.system():
        for table in tables:
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE {table} SET org_id = org_id")
                assert cursor.rowcount == query(f"SELECT count(*) FROM {table}")[0][0]
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM crm_tag")
    assert count(other.id) == before
    assert count(mine.id)["crm_tag"] == 0


def test_row_cannot_be_written_into_another_organisation(filled: tuple[Org, Org]) -> None:
    mine, other = filled
    tables = [table for table in fenced_tables() if table not in ("crm_auditentry", "crm_organization")]
    for table in tables:
        with mine.system(), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            query(f"UPDATE {table} SET org_id = %s RETURNING 1", other.id)
    with mine.system(), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        query("INSERT INTO crm_tag (org_id, id, name, tone, created_at, updated_at, version, custom)"
              " VALUES (%s, uuidv7(), 'x', 'gray', now(), now(), 1, '{}') RETURNING 1", other.id)  # fmt: skip


def _one(cursor: Any) -> int:
    return cursor.fetchone()[0]


# ---------------------------------------------------------------- the application's role


BYPASSES = {
    "row security off": "SET row_security = off; SELECT count(*) FROM crm_tag",
    "replica": "SET session_replication_role = replica",
    "owner": "SET ROLE keel_owner",
    "definer": "SET ROLE keel_definer",
    "superuser": f"SET SESSION AUTHORIZATION {SUPERUSER}",
    "disable": "ALTER TABLE crm_tag DISABLE ROW LEVEL SECURITY",
    "policy": "CREATE POLICY wide ON crm_tag USING (true)",
    "drop policy": "DROP POLICY tenant ON crm_tag",
    "trigger": "ALTER TABLE crm_tag DISABLE TRIGGER audit_update",
    "truncate": "TRUNCATE crm_tag",
    "function": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "table": "CREATE TABLE mine (id int)",
    "replaced function": "CREATE OR REPLACE FUNCTION app_org() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    "attribute": "ALTER ROLE keel_app BYPASSRLS",
    "file": "SELECT pg_read_file('postgresql.conf')",
    "program": "COPY crm_tag TO PROGRAM 'cat'",
    "log written": "INSERT INTO crm_auditentry (org_id, table_name, row_id, operation, actor_kind, request_id)"
    " VALUES (uuidv7(), 'x', uuidv7(), 'I', 'system', '')",
    "log changed": "UPDATE crm_auditentry SET actor_kind = 'member'",
    "log emptied": "DELETE FROM crm_auditentry",
    "log truncated": "TRUNCATE crm_auditentry",
    "log's trigger called": "SELECT keel_audit_insert()",
}


@pytest.mark.parametrize("way", BYPASSES)
def test_applications_role_cannot_bypass(filled: tuple[Org, Org], way: str) -> None:
    mine, _other = filled
    with mine.system(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user")
        assert cursor.fetchone() == ("keel_app", "keel_app")
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            cursor.execute(BYPASSES[way])
    reasons = ("permission denied", "must be owner", "would be affected by row-level security", "must be superuser",
               "trigger functions can only be called as triggers")  # fmt: skip
    assert any(reason in str(refused.value) for reason in reasons), refused.value


def test_applications_role_owns_nothing() -> None:
    owned = query("SELECT c.relname FROM pg_class c WHERE c.relowner = current_user::regrole")
    functions = query("SELECT p.proname FROM pg_proc p WHERE p.proowner = current_user::regrole")
    schemas = query("SELECT n.nspname FROM pg_namespace n WHERE n.nspowner = current_user::regrole")
    assert (owned, functions, schemas) == ([], [], [])
    role = query("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user")
    assert role == [(False, False, False, False)]
    member = query("SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
                   " WHERE m.member = current_user::regrole")  # fmt: skip
    assert member == []


def test_definer_functions_take_no_organisation_and_return_ids() -> None:
    """What looks across organisations before one is known must not be a way to ask about a given one."""
    found = query(
        "SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid) FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND p.prorettype <> 'trigger'::regtype"
        " AND has_function_privilege('keel_app', p.oid, 'EXECUTE') ORDER BY 1"
    )
    for name, arguments, _result in found:
        assert not re.search(r"\borg", arguments), (name, arguments)
    doors = {name: (arguments, result) for name, arguments, result in found if name.startswith("keel_")}
    assert doors["keel_due_orgs"] == ("what text", "SETOF uuid")
    assert doors["keel_resolve_token"] == (
        "digest bytea", "TABLE(org_id uuid, token_id uuid, member_id uuid, kind text)",
    )  # fmt: skip


def test_servers_connect_as_the_applications_role(
    running_keel: object, cluster: ClusterInfo, worker_clone: str
) -> None:
    with psycopg.connect(cluster.superuser_url(worker_clone)) as superuser:
        users = superuser.execute(
            "SELECT DISTINCT usename::text FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND usename <> session_user", [worker_clone],
        ).fetchall()  # fmt: skip
    assert users == [("keel_app",)]


def test_elevated_reaches_every_row_of_the_organisation_and_no_other(filled: tuple[Org, Org]) -> None:
    mine, _other = filled
    with mine.system():
        everything = {table: query(f"SELECT count(*) FROM {table}")[0][0] for table in fenced_tables()}
    rep = mine.member()
    everything["crm_membership"] += 1
    everything["crm_auditentry"] += 1
    with mine.acting(rep), elevated("a test"):
        found = {table: query(f"SELECT count(*) FROM {table}")[0][0] for table in fenced_tables()}
    assert found == everything | dict.fromkeys(PERSONAL_ALONE, 0)


def test_organisation_is_seen_by_its_members_alone(filled: tuple[Org, Org]) -> None:
    mine, other = filled
    with org_context(Actor.system(mine.id)):
        assert [o.pk for o in Organization.objects.all()] == [mine.id]
    assert other.id != mine.id
