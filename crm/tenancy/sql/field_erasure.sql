-- What the job that purges deleted fields needs. Run once by migration.

CREATE FUNCTION keel_due_fields(before timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$ SELECT DISTINCT f.org_id FROM crm_customfield f WHERE f.deleted_at < $1 AND f.purged_at IS NULL $$;

-- Taking the values of a deleted field out of records is logged like any change, and so would write them into the log.
-- This blanks what this very transaction has logged of that, and nothing else: entries that say no more than that the
-- field's key went. The field must be one whose time is over. Entries of former changes stay as they are.
CREATE FUNCTION keel_forget_values(field uuid, of_table text, records uuid[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone text;
    blanked bigint;
BEGIN
    IF app_org() IS NULL OR coalesce(app_write(), 'none') <> 'all' THEN
        RAISE EXCEPTION 'values are erased by who may write everything' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT f.key INTO gone FROM crm_customfield f
     WHERE f.org_id = app_org() AND f.id = field AND f.deleted_at < now() - interval '30 days';
    IF gone IS NULL THEN
        RAISE EXCEPTION 'only values of fields that are gone for good are erased' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE crm_auditentry e SET diff = NULL
     WHERE e.org_id = app_org() AND e.table_name = of_table AND e.row_id = ANY (records)
       AND e.operation = 'U' AND e.at = now()
       AND e.diff = jsonb_build_object('custom', e.diff -> 'custom')
       AND (e.diff #> '{custom,0}') - gone = e.diff #> '{custom,1}';
    GET DIAGNOSTICS blanked = ROW_COUNT;
    RETURN blanked;
END $$;
