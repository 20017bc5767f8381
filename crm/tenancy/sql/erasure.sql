-- The law's way into the append-only log, and the door of the job that empties recycle bins. Run once by migration.

-- Blanks what the log holds of the rows that one purge has deleted, and of their children. Their ids, moments and actors
-- stay. It takes the change set of a purge that left receipts, looks at nothing but rows that are gone, and leaves an
-- entry of its own ("E") for every record.
CREATE FUNCTION keel_erase_subjects(purge uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    blanked bigint;
    blanked_children bigint;
BEGIN
    IF app_org() IS NULL OR coalesce(app_write(), 'none') <> 'all' THEN
        RAISE EXCEPTION 'values are erased by who may write everything' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (SELECT FROM crm_deletionreceipt r WHERE r.org_id = app_org() AND r.change_set_id = purge) THEN
        RAISE EXCEPTION 'no receipt says what is erased' USING ERRCODE = 'insufficient_privilege';
    END IF;
    WITH gone AS MATERIALIZED (
        SELECT DISTINCT d.table_name, d.row_id FROM crm_auditentry d
         WHERE d.org_id = app_org() AND d.change_set_id = purge AND d.operation = 'D')
    UPDATE crm_auditentry e SET diff = NULL FROM gone g
     WHERE e.org_id = app_org() AND e.table_name = g.table_name AND e.row_id = g.row_id AND e.diff IS NOT NULL;
    GET DIAGNOSTICS blanked = ROW_COUNT;
    -- Children that were deleted long before, such as an address that was replaced.
    WITH gone AS MATERIALIZED (
        SELECT DISTINCT d.row_id FROM crm_auditentry d
         WHERE d.org_id = app_org() AND d.change_set_id = purge AND d.operation = 'D')
    UPDATE crm_auditentry e SET diff = NULL FROM gone g
     WHERE e.org_id = app_org() AND e.parent_id = g.row_id AND e.diff IS NOT NULL;
    GET DIAGNOSTICS blanked_children = ROW_COUNT;
    INSERT INTO crm_auditentry (org_id, table_name, row_id, operation, actor_id, actor_kind, request_id, change_set_id, at)
    SELECT r.org_id, 'crm_deletionreceipt', r.record, 'E', app_member(),
           coalesce(nullif(current_setting('app.actor_kind', true), ''), 'system'),
           coalesce(current_setting('app.request_id', true), ''), purge, now()
      FROM crm_deletionreceipt r WHERE r.org_id = app_org() AND r.change_set_id = purge;
    RETURN blanked + blanked_children;
END $$;

CREATE FUNCTION keel_due_bins(before timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$ SELECT DISTINCT b.org_id FROM crm_binentry b WHERE b.created_at < $1 $$;
