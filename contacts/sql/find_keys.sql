-- Who has one of these addresses, and which accounts have one of these domains, in the whole organisation: ids alone,
-- the oldest first, so that an action may ask beyond its actor's reach. It waits for others who write records with a key
-- of the same buckets and keeps them waiting until the transaction ends. Volatile: each statement finds what those who
-- were waited for have written. The record of each key is looked up by itself, never joined: while an import fills new
-- tables their statistics say that they are empty, and a join would walk all of them.
CREATE FUNCTION keel_find_keys(space integer, buckets integer[], emails text[], domains text[])
    RETURNS TABLE (kind text, key text, id uuid)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    bucket integer;
BEGIN
    FOREACH bucket IN ARRAY buckets LOOP
        PERFORM pg_advisory_xact_lock(space, bucket);
    END LOOP;
    RETURN QUERY
        SELECT 'email', e.address_norm, e.contact_id FROM contacts_contactemail e
         WHERE e.org_id = app_org() AND e.address_norm = ANY (emails)
           AND (SELECT c.deleted_at IS NULL FROM contacts_contact c WHERE c.id = e.contact_id)
        UNION ALL
        SELECT 'domain', d.domain, d.account_id FROM contacts_accountdomain d
         WHERE d.org_id = app_org() AND d.domain = ANY (domains)
           AND (SELECT a.deleted_at IS NULL FROM contacts_account a WHERE a.id = d.account_id)
         ORDER BY 3;
END $$;
