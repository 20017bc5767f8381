-- Words that begin as those of a query (`'...night':*`) are named one by one, as far as the dictionary holds few of
-- them. An index of words reads everything that begins alike before it looks at the next word of a query; of whole
-- words it reads the rarest, and of the others only what may match. A word that nothing begins with becomes one that
-- nothing has. A definer function: the dictionary holds words of records that the actor may not see.
CREATE FUNCTION keel_known_words(query tsquery) RETURNS tsquery LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    written text := query::text;
    begun text[];
    known text;
    many boolean;
BEGIN
    FOR begun IN SELECT DISTINCT m FROM regexp_matches(written, '''(.{6})([^''0-9]{3,40})'':\*', 'g') m LOOP
        SELECT string_agg(quote_literal(begun[1] || w.word)
                          -- What goes on after a digit, or is longer than any word, is noted by its beginning.
                          || CASE WHEN w.word ~ '[0-9]$' OR length(w.word) > 40 THEN ':*' ELSE '' END, ' | '),
               count(*) > 16
          INTO known, many
          FROM (SELECT DISTINCT k.word FROM crm_searchword k
                 WHERE k.org_id = app_org() AND k.word >= begun[2] AND k.word < begun[2] || chr(1114111)
                 LIMIT 17) w;
        IF NOT many THEN
            written := replace(written, quote_literal(begun[1] || begun[2]) || ':*',
                               '(' || coalesce(known, quote_literal(begun[1] || '-')) || ')');
        END IF;
    END LOOP;
    RETURN written::tsquery;
END $$;
