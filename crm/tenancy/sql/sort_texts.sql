-- A text as lists sort it, cut to what lets three of them stand in one entry of an index, which has its limits.
CREATE OR REPLACE FUNCTION keel_sort_text(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN jsonb_typeof(value) = 'string'
              THEN left(public.keel_norm(left(value #>> '{}', 100)), 100) END $$;
