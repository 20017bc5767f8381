"""Is the fence up? Asked of the database itself when a process starts: it refuses to serve when it is not.

Each statement answers with one sentence per thing to mend. RLS_MODE names the set-up: `forced` (row-level security is
forced on the tables' owner too, and the definer functions belong to a role that passes by it) or `owner` (for hosts
that grant no BYPASSRLS: it is not forced, and the functions belong to the owner).
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

_ROLE = """
SELECT format('%s is a superuser: use a role that is none.', rolname) FROM pg_roles
 WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT format('%s passes by row-level security (BYPASSRLS).', rolname) FROM pg_roles
 WHERE rolname = current_user AND rolbypassrls
UNION ALL
SELECT format('%s may act as %s, who passes by row-level security.', current_user, rolname) FROM pg_roles
 WHERE rolname <> current_user AND (rolsuper OR rolbypassrls) AND pg_has_role(current_user, oid, 'MEMBER')
UNION ALL
SELECT format('%s owns %s, and what is owned may be changed.', current_user, c.oid::regclass) FROM pg_class c
 WHERE pg_has_role(current_user, c.relowner, 'MEMBER')
   AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT format('%s owns the function %s.', current_user, p.oid::regprocedure) FROM pg_proc p
 WHERE pg_has_role(current_user, p.proowner, 'MEMBER') AND p.pronamespace = 'public'::regnamespace
UNION ALL
SELECT format('%s may create objects in the schema public.', current_user)
 WHERE has_schema_privilege('public', 'CREATE')
UNION ALL
SELECT format('%s may write the audit log (%s).', current_user, right_to)
  FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) right_to
 WHERE to_regclass('crm_auditentry') IS NOT NULL AND has_table_privilege('crm_auditentry', right_to)
"""

# Tables with an organisation, and the organisations themselves.
_TABLES = """
WITH tenant AS (
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND (c.relname = 'crm_organization'
            OR EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped)))
SELECT 'There are no tables yet: run `manage.py migrate`.' WHERE NOT EXISTS (SELECT FROM tenant)
UNION ALL
SELECT format('%s has no row-level security.', relname) FROM tenant WHERE NOT relrowsecurity
UNION ALL
SELECT format('%s has no policy that keeps organisations apart.', relname) FROM tenant t
 WHERE NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polname = 'tenant' AND p.polpermissive
                      AND pg_get_expr(p.polqual, p.polrelid) LIKE '%app_org()%')
UNION ALL
SELECT format('%s has a policy (%s) that lets every row through.', relname, p.polname)
  FROM tenant t JOIN pg_policy p ON p.polrelid = t.oid
 WHERE p.polpermissive
   AND 'true' IN (pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
UNION ALL
SELECT format('The view %s asks with its owner''s rights: make it security_invoker.', c.oid::regclass) FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
   AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""

_FUNCTIONS = """
WITH definer AS (
    SELECT p.oid, p.proowner, p.proacl, p.oid::regprocedure AS name,
           (SELECT option FROM unnest(p.proconfig) option WHERE option LIKE 'search_path=%') AS path
      FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e'))
SELECT format('%s runs with its owner''s rights and has no fixed search_path that ends in pg_temp.', name) FROM definer
 WHERE path IS NULL OR path !~ 'pg_temp"?$'
UNION ALL
SELECT format('%s runs with its owner''s rights, and everybody may run it.', name) FROM definer
 WHERE proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
UNION ALL
SELECT format('%s belongs to %s, who is a superuser.', name, r.rolname)
  FROM definer d JOIN pg_roles r ON r.oid = d.proowner WHERE r.rolsuper
"""

_FORCED = """
SELECT format('%s does not force row-level security on its owner.', c.relname) FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity AND NOT c.relforcerowsecurity
UNION ALL
SELECT format('%s belongs to %s, who does not pass by row-level security: it would find nothing.',
              p.oid::regprocedure, r.rolname)
  FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
 WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND NOT r.rolbypassrls
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""

_OWNED = """
SELECT format('%s forces row-level security on its owner, whose functions would find nothing (RLS_MODE=owner).',
              c.relname)
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relforcerowsecurity
UNION ALL
SELECT format('%s belongs to %s and not to the tables'' owner: it would find nothing.', p.oid::regprocedure, r.rolname)
  FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
 WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND NOT r.rolbypassrls
   AND p.proowner <> (SELECT relowner FROM pg_class WHERE oid = to_regclass('crm_organization'))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


class TenancyUnsafe(ImproperlyConfigured):
    """The database would not keep organisations apart; the message lists what to mend."""


def findings() -> list[str]:
    """What is wrong with the database's fence, one sentence each; nothing when all is well."""
    if settings.RLS_MODE not in ("forced", "owner"):
        return [f"RLS_MODE is {settings.RLS_MODE!r}: set `forced`, or `owner` where no role may have BYPASSRLS."]
    statements = [_ROLE, _TABLES, _FUNCTIONS, _FORCED if settings.RLS_MODE == "forced" else _OWNED]
    found: list[str] = []
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            found += [sentence for (sentence,) in cursor.fetchall()]
    return found


def require() -> None:
    """Refuses to go on with a database whose fence is down. Raises TenancyUnsafe; called when a process starts."""
    try:
        found = findings()
    finally:
        connection.close()
    if found:
        raise TenancyUnsafe("This database does not keep organisations apart:\n- " + "\n- ".join(found))
