-- Like keel_word_query, but also by words of the organisation that are spelled like those sought: at most two letters
-- off. The first letter may be wrong, too (left out, one too many, another one, or changed places with the second), if
-- the three that follow are right; such words come after those that begin alike. Unless `known`, only what no word
-- begins with is taken for misspelled, and there is no query where nothing is. A definer function: the dictionary
-- holds words of records that the actor may not see.
CREATE FUNCTION keel_alike_query(sought text, known boolean) RETURNS tsquery LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    org uuid := app_org();
    tag text := right(app_org()::text, 6);
    last constant text := chr(1114111);
    given text;
    start text;  -- the first letter
    rest text;  -- the three after it
    swapped text;
    alike text;
    found boolean := known;
    parts text[] := '{}';
BEGIN
    FOR given IN SELECT keel_words(sought) LOOP
        alike := NULL;
        start := left(given, 1);
        rest := substr(given, 2, 3);
        swapped := substr(given, 2, 1) || start;
        IF length(given) > 2 AND (known OR NOT EXISTS (
            SELECT FROM crm_searchword k WHERE k.org_id = org AND k.word >= given AND k.word < given || last)) THEN
            SELECT string_agg(quote_literal(tag || near.word), ' | ') INTO alike FROM (
                SELECT w.word, min(levenshtein(w.word, given)) AS distance FROM (
                    SELECT k.word FROM crm_searchword k
                     WHERE k.org_id = org AND k.word >= start AND k.word < start || last
                    UNION ALL
                    SELECT k.word FROM crm_searchword k
                     WHERE length(given) > 3 AND k.org_id = org AND k.word >= swapped AND k.word < swapped || last
                    UNION ALL
                    SELECT k.word FROM crm_searchword k
                     WHERE length(given) > 3 AND k.org_id = org AND k.word >= rest AND k.word < rest || last
                    UNION ALL
                    SELECT k.word FROM crm_searchword k
                     WHERE length(given) > 3 AND k.org_id = org
                       AND substr(k.word, 2) >= rest AND substr(k.word, 2) < rest || last
                    UNION ALL
                    SELECT k.word FROM crm_searchword k
                     WHERE length(given) > 3 AND k.org_id = org
                       AND substr(k.word, 2) >= left(given, 3) AND substr(k.word, 2) < left(given, 3) || last) w
                 WHERE length(w.word) BETWEEN length(given) - 2 AND least(length(given) + 2, 40)
                   AND w.word !~ '[0-9]$'  -- the beginning of one
                   AND levenshtein_less_equal(w.word, given, 2) <= CASE WHEN length(given) = 3 THEN 1 ELSE 2 END
                 GROUP BY w.word ORDER BY left(w.word, 1) <> start, distance LIMIT 8) near;
        END IF;
        found := found OR alike IS NOT NULL;
        parts := parts || ('(' || concat_ws(' | ', quote_literal(tag || given) || CASE WHEN length(given) > 2 THEN ':*' ELSE '' END, alike) || ')');
    END LOOP;
    RETURN CASE WHEN found AND parts <> '{}' THEN array_to_string(parts, ' & ')::tsquery END;
END $$;
