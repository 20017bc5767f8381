-- What lists are sorted by of an organisation's own fields: `sort_*` columns that repeat values of `custom`. Run once by
-- migration. A trigger (crm.tenancy.sorting.FillSortSlots) fills them; a job does when a field gets its column.

-- A text as lists sort it. Long ones are cut: an entry of an index has its limits.
CREATE FUNCTION keel_sort_text(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN jsonb_typeof(value) = 'string'
              THEN left(public.keel_norm(left(value #>> '{}', 200)), 200) END $$;

-- Numbers as they are, money in minor units, days and seconds since 1970, no before yes, choices by their place among
-- `options`. NULL for what does not fit. Double precision holds every number that a field takes, and its comparisons are
-- leakproof, so that row-level security lets them use an index; those of numeric are not.
CREATE FUNCTION keel_sort_number(kind text, options jsonb, value jsonb) RETURNS double precision LANGUAGE sql STABLE
    PARALLEL SAFE AS $$ SELECT CASE
        WHEN kind IN ('number', 'percent') AND jsonb_typeof(value) = 'number' THEN value::double precision
        WHEN kind = 'money' AND jsonb_typeof(value -> 'amount') = 'number' THEN (value -> 'amount')::double precision
        WHEN kind = 'checkbox' AND jsonb_typeof(value) = 'boolean' THEN value::boolean::int::double precision
        WHEN kind = 'choice' THEN (
            SELECT (o.place - 1)::double precision FROM jsonb_array_elements(options) WITH ORDINALITY o (option, place)
             WHERE o.option ->> 'value' = value #>> '{}')
        WHEN kind = 'date' AND value #>> '{}' ~ '^\d{4}-' AND pg_input_is_valid(value #>> '{}', 'date')
            THEN ((value #>> '{}')::date - date '1970-01-01')::double precision
        WHEN kind = 'datetime' AND value #>> '{}' ~ '^\d{4}-' AND pg_input_is_valid(value #>> '{}', 'timestamptz')
            THEN extract(epoch FROM (value #>> '{}')::timestamptz)::double precision
    END $$;

-- Who writes values holds this lock to the end of the transaction; the job that fills a column waits for it once. So no
-- row stays behind that was written by what did not yet know of the column.
CREATE FUNCTION keel_sort_lock(org uuid, record_type text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT hashtextextended('sorting ' || org::text || ' ' || record_type, 0) $$;

-- Runs as who writes the row: the fields it reads are under row-level security.
CREATE FUNCTION keel_fill_sort_slots() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE own record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(keel_sort_lock(NEW.org_id, tg_argv[0]));
    NEW.sort_t1 := NULL; NEW.sort_t2 := NULL; NEW.sort_t3 := NULL;
    NEW.sort_n1 := NULL; NEW.sort_n2 := NULL; NEW.sort_n3 := NULL;
    FOR own IN
        SELECT f.sort_slot, f.kind, f.options, NEW.custom -> f.key AS value FROM crm_customfield f
         WHERE f.org_id = NEW.org_id AND f.record_type = tg_argv[0] AND f.sort_slot <> ''
    LOOP
        CASE own.sort_slot
            WHEN 't1' THEN NEW.sort_t1 := keel_sort_text(own.value);
            WHEN 't2' THEN NEW.sort_t2 := keel_sort_text(own.value);
            WHEN 't3' THEN NEW.sort_t3 := keel_sort_text(own.value);
            WHEN 'n1' THEN NEW.sort_n1 := keel_sort_number(own.kind, own.options, own.value);
            WHEN 'n2' THEN NEW.sort_n2 := keel_sort_number(own.kind, own.options, own.value);
            WHEN 'n3' THEN NEW.sort_n3 := keel_sort_number(own.kind, own.options, own.value);
        END CASE;
    END LOOP;
    RETURN NEW;
END $$;

GRANT EXECUTE ON FUNCTION keel_sort_text(jsonb), keel_sort_number(text, jsonb, jsonb), keel_sort_lock(uuid, text) TO PUBLIC;
