-- What fragments are looked up by in the index of grams; see keel_gram_vector (search.sql).

-- What matches all grams inside of a fragment; NULL where it has no three letters or digits in a row. Where the fragment
-- shows that a word begins or ends, the grams of its beginning or end count, too ("15.com": few words end with 15).
-- Whether the fragment is really there must be looked at in each row found.
CREATE OR REPLACE FUNCTION keel_gram_query(fragment text) RETURNS tsquery LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN fragment ~ '[a-z0-9]{3}'
                THEN string_agg(DISTINCT quote_literal(right(app_org()::text, 6) || gram), ' & ')::tsquery END
      FROM regexp_matches(regexp_replace(fragment, '[!-/:-@[-`{-~]', '\&\&', 'g'),  -- one for each of its neighbours
                          '([!-/:-@[-`{-~]?)([a-z0-9]+)([!-/:-@[-`{-~]?)', 'g') AS run,
           LATERAL (SELECT substr(run[2], start, 3) AS gram FROM generate_series(1, length(run[2]) - 2) AS start
                    UNION ALL SELECT '  ' || left(run[2], 1) WHERE run[1] <> ''
                    UNION ALL SELECT ' ' || left(run[2], 2) WHERE run[1] <> '' AND length(run[2]) > 1
                    UNION ALL SELECT right(run[2], 2) || ' ' WHERE run[3] <> '' AND length(run[2]) > 1) AS grams;
END;

GRANT EXECUTE ON FUNCTION keel_gram_query(text) TO PUBLIC;
