-- What may be asked before an organisation is known. Definer functions that return ids only and take no organisation;
-- run by migration crm.0001 after the tables exist, then handed to keel_definer.

CREATE FUNCTION keel_resolve_token(digest bytea)
    RETURNS TABLE (org_id uuid, token_id uuid, member_id uuid, kind text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$ SELECT t.org_id, t.id, t.member_id, t.kind FROM crm_token t
           WHERE t.digest = $1 AND t.used_at IS NULL AND t.expires_at > now() $$;

CREATE FUNCTION keel_due_orgs(what text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    IF what = 'outbox' THEN
        RETURN QUERY SELECT DISTINCT e.org_id FROM crm_outboxevent e WHERE e.dead_at IS NULL AND e.available_at <= now();
    ELSIF what = 'all' THEN
        RETURN QUERY SELECT o.id FROM crm_organization o;
    ELSE
        RAISE EXCEPTION 'unknown kind of work: %', what;
    END IF;
END $$;
