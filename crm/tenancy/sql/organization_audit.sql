-- The audit of organisations themselves: their id is the organisation's. Run once by migration crm.0003.
CREATE FUNCTION keel_audit_organization() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO crm_auditentry (org_id, table_name, row_id, operation, actor_id, actor_kind, request_id, change_set_id, at, diff)
    SELECT n.id, tg_table_name, n.id, 'U', app_member(), coalesce(nullif(current_setting('app.actor_kind', true), ''), 'system'),
           coalesce(current_setting('app.request_id', true), ''), nullif(current_setting('app.change_set', true), '')::uuid,
           now(), d.diff
      FROM new_rows n
      JOIN old_rows o USING (id)
     CROSS JOIN LATERAL (
           SELECT jsonb_object_agg(k.key, jsonb_build_array(to_jsonb(o) -> k.key, k.value)) AS diff
             FROM jsonb_each(to_jsonb(n)) k
            WHERE k.key <> 'updated_at' AND to_jsonb(o) -> k.key IS DISTINCT FROM k.value) d
     WHERE d.diff IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_update AFTER UPDATE ON crm_organization REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keel_audit_organization();
