"""`preflight`: could Keel be migrated and served here? Run before `migrate`, by hand or by the launcher."""

from collections.abc import Iterator
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

OLDEST_POSTGRES = 18
EXTENSIONS = {"pg_trgm", "btree_gin", "unaccent", "fuzzystrmatch"}


class Command(BaseCommand):
    """Prints one line per finding and ends with an error when there is any."""

    help = "Checks the database server, roles, extensions, keys and production rules before migrations run."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--public", action="store_true", help="others can reach this server")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(self.findings(public=options["public"]))
        for finding in findings:
            self.stderr.write(finding)
        if findings:
            raise CommandError(f"preflight: {len(findings)} to mend.")

    def findings(self, *, public: bool) -> Iterator[str]:
        """What has to be mended, each in one line that says how."""
        yield from key_findings()
        try:
            with connection.cursor() as cursor:
                yield from database_findings(cursor)
                if public or settings.REFUSE_DEMO_USERS:
                    yield from demo_findings(cursor)
        except OperationalError as error:
            yield f"DATABASE_URL does not lead to a database: {str(error).splitlines()[0]}"
        yield from owner_findings()


def key_findings() -> Iterator[str]:
    """Keys that every server needs."""
    if len(settings.SECRET_KEY) < 50:
        yield "SECRET_KEY is missing or short: set 50 random characters."
    if not settings.MASTER_KEYS:
        yield "MASTER_KEYS is missing: set `k1:` and 32 random bytes in base64."


def database_findings(cursor: Any) -> Iterator[str]:
    """Server version, the application's role, extensions."""
    cursor.execute("SELECT current_setting('server_version_num')::int / 10000, current_user")
    version, user = cursor.fetchone()
    if version < OLDEST_POSTGRES:
        yield f"PostgreSQL {version} is too old: Keel needs {OLDEST_POSTGRES} or newer."
    cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    if any(cursor.fetchone()):
        yield f"DATABASE_URL logs in as {user}, whom row-level security does not hold: use keel_app."
    cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
    if owned := cursor.fetchone()[0]:
        yield f"{user} owns {owned} tables or indexes: DATABASE_URL must use keel_app, not the owner."
    cursor.execute("SELECT extname FROM pg_extension")
    if missing := sorted(EXTENSIONS - {name for (name,) in cursor.fetchall()}):
        yield f"Extensions are missing ({', '.join(missing)}): run crm/tenancy/sql/bootstrap.sql as a superuser."
    if settings.RLS_MODE == "forced":
        cursor.execute("SELECT rolbypassrls FROM pg_roles WHERE rolname = 'keel_definer'")
        if cursor.fetchone() != (True,):
            yield "Role keel_definer (BYPASSRLS) is missing: run crm/tenancy/sql/bootstrap.sql, or set RLS_MODE=owner."


def demo_findings(cursor: Any) -> Iterator[str]:
    """Demo users have passwords that everybody knows."""
    cursor.execute("SELECT to_regclass('crm_user')")
    if cursor.fetchone() == (None,):
        return
    cursor.execute("SELECT count(*) FROM crm_user WHERE is_demo AND is_active")
    if count := cursor.fetchone()[0]:
        yield f"{count} demo users with known passwords are in this database: use an empty one, or stay on 127.0.0.1."


def owner_findings() -> Iterator[str]:
    """The role that migrates."""
    if not settings.DATABASE_OWNER_URL:
        yield "DATABASE_OWNER_URL is missing: migrations need it."
        return
    try:
        with psycopg.connect(settings.DATABASE_OWNER_URL, connect_timeout=5) as owner:
            row = owner.execute(
                "SELECT current_user, current_database(), rolsuper OR rolbypassrls,"
                " has_schema_privilege('public', 'CREATE') FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as error:
        yield f"DATABASE_OWNER_URL does not lead to a database: {str(error).splitlines()[0]}"
        return
    user, database, bypasses, creates = row or ("", "", False, False)
    if database != connection.settings_dict["NAME"]:
        yield f"DATABASE_OWNER_URL names database {database}, DATABASE_URL {connection.settings_dict['NAME']}."
    if bypasses:
        yield f"{user} bypasses row-level security: let keel_owner own the schema."
    if not creates:
        yield f"{user} may not create tables: run crm/tenancy/sql/bootstrap.sql as a superuser."
