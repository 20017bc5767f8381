-- Functions that policies, triggers and generated columns call. Run once by migration crm.0001 as the owner.
-- The `app.*` settings are '' after a transaction-local value expired, hence nullif().

CREATE FUNCTION app_org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.org_id', true), '')::uuid $$;
CREATE FUNCTION app_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;
CREATE FUNCTION app_member() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.member_id', true), '')::uuid $$;
CREATE FUNCTION app_reach() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT current_setting('app.reach', true) $$;
CREATE FUNCTION app_write() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.write', true), '') $$;
CREATE FUNCTION app_members() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(nullif(current_setting('app.members', true), ''), '{}')::uuid[] $$;
CREATE FUNCTION app_teams() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(nullif(current_setting('app.teams', true), ''), '{}')::uuid[] $$;

-- Text as it is compared: without case and accents. unaccent() is only STABLE because its dictionary could be
-- replaced; naming the dictionary makes the answer fixed, so the wrapper may stand in generated columns.
CREATE FUNCTION keel_norm(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, coalesce(value, ''))) $$;
CREATE FUNCTION keel_norm_pair(first_part text, second_part text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT btrim(lower(public.unaccent('public.unaccent'::regdictionary,
              coalesce(first_part, '') || ' ' || coalesce(second_part, '')))) $$;
CREATE FUNCTION keel_digits(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT regexp_replace(coalesce(value, ''), '[^0-9]', '', 'g') $$;

-- The audit log's triggers. They belong to keel_definer: the application's role may read the log and nothing else.
-- `at` is the transaction's moment, so that what one transaction did to a record can be told as one change.
-- enable_nestloop is off because transition tables have no statistics (new x old would be a nested loop).
CREATE FUNCTION keel_audit_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- No values: they stand in the row until an update or the delete logs them.
    INSERT INTO crm_auditentry (org_id, table_name, row_id, operation, actor_id, actor_kind, request_id, change_set_id, parent_id, at)
    SELECT n.org_id, tg_table_name, n.id, 'I', app_member(), coalesce(nullif(current_setting('app.actor_kind', true), ''), 'system'),
           coalesce(current_setting('app.request_id', true), ''), nullif(current_setting('app.change_set', true), '')::uuid,
           CASE WHEN tg_argv[1] <> '' THEN (to_jsonb(n) ->> tg_argv[1])::uuid END, now()
      FROM new_rows n;
    RETURN NULL;
END $$;

CREATE FUNCTION keel_audit_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = off AS $$
DECLARE skip text[] := tg_argv[0]::text[];
BEGIN
    INSERT INTO crm_auditentry (org_id, table_name, row_id, operation, actor_id, actor_kind, request_id, change_set_id, parent_id, at, version, diff)
    SELECT n.org_id, tg_table_name, n.id, 'U', app_member(), coalesce(nullif(current_setting('app.actor_kind', true), ''), 'system'),
           coalesce(current_setting('app.request_id', true), ''), nullif(current_setting('app.change_set', true), '')::uuid,
           CASE WHEN tg_argv[1] <> '' THEN (to_jsonb(n) ->> tg_argv[1])::uuid END, now(),
           (to_jsonb(n) ->> 'version')::int, d.diff
      FROM new_rows n
      JOIN old_rows o USING (id)
     CROSS JOIN LATERAL (
           SELECT jsonb_object_agg(k.key, jsonb_build_array(before.j -> k.key, k.value)) AS diff
             FROM (SELECT to_jsonb(o) - skip AS j OFFSET 0) before, jsonb_each(to_jsonb(n) - skip) k
            WHERE before.j -> k.key IS DISTINCT FROM k.value) d
     WHERE d.diff IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION keel_audit_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO crm_auditentry (org_id, table_name, row_id, operation, actor_id, actor_kind, request_id, change_set_id, parent_id, at, diff)
    SELECT o.org_id, tg_table_name, o.id, 'D', app_member(), coalesce(nullif(current_setting('app.actor_kind', true), ''), 'system'),
           coalesce(current_setting('app.request_id', true), ''), nullif(current_setting('app.change_set', true), '')::uuid,
           CASE WHEN tg_argv[1] <> '' THEN (to_jsonb(o) ->> tg_argv[1])::uuid END, now(), to_jsonb(o) - tg_argv[0]::text[]
      FROM old_rows o;
    RETURN NULL;
END $$;

-- Policies and definer functions call these whoever runs them; they tell nothing that the caller did not set.
GRANT EXECUTE ON FUNCTION app_org(), app_user(), app_member(), app_reach(), app_write(), app_members(), app_teams(),
    keel_norm(text), keel_norm_pair(text, text), keel_digits(text) TO PUBLIC;
