-- The functions of generated columns, in PL/pgSQL: what they stand on is only STABLE, so that PostgreSQL can't put their
-- text in place of their call, tries so with every INSERT all the same, and then runs them as statements of their own.
-- What they answer is as before.
CREATE OR REPLACE FUNCTION keel_norm(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$ BEGIN RETURN lower(public.unaccent('public.unaccent'::regdictionary, coalesce(value, ''))); END $$;
CREATE OR REPLACE FUNCTION keel_norm_pair(first_part text, second_part text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$ BEGIN RETURN btrim(lower(public.unaccent('public.unaccent'::regdictionary,
              coalesce(first_part, '') || ' ' || coalesce(second_part, '')))); END $$;
CREATE OR REPLACE FUNCTION keel_digits(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$ BEGIN RETURN regexp_replace(coalesce(value, ''), '[^0-9]', '', 'g'); END $$;
