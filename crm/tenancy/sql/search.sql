-- What search stands on. Run once by migration crm.0004; crm/tenancy/searching.py adds the functions of each table.
-- Bodies name schemas or are parsed when they are made (RETURN, BEGIN ATOMIC), so that an index is rebuilt under any
-- search_path.

-- Normalised text with nothing but spaces between its words. The collation knows the letters of all languages.
CREATE FUNCTION keel_spaced(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(value COLLATE pg_c_utf8, '[^[:alnum:]]+', ' ', 'g');

-- Names, and what an e-mail address or a domain has to say without its last label: "ann@acme.example" is "ann acme".
CREATE FUNCTION keel_with_address(names text, address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN names || ' ' || regexp_replace(address, '\.[^.@]*$', '');

-- A text somebody wrote, normalised; without what is too long to be a word (a lexeme has 2,046 bytes at most).
CREATE FUNCTION keel_text(first_part text, second_part text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN keel_norm(regexp_replace(first_part || ' ' || second_part, '\S{80,}', ' ', 'g'));

-- The words of a normalised text as lexemes. They begin with the last six digits of the organisation's id: what begins
-- with the same letters in other organisations is never met. The planner must know that this costs more than a look
-- into an index (it would not, were the function inlined): else it reads all of a member's rows.
CREATE FUNCTION keel_word_vector(org uuid, value text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000
AS $$
DECLARE tag text := right(org::text, 6);
BEGIN
    RETURN array_to_tsvector(string_to_array(tag || replace(public.keel_spaced(value), ' ', ' ' || tag), ' '));
END $$;

-- Three characters at a time of an address or a number, as lexemes in the same way: fragments are found by them.
CREATE FUNCTION keel_gram_vector(org uuid, value text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000
AS $$
DECLARE tag text := right(org::text, 6);
BEGIN
    RETURN array_to_tsvector(string_to_array(
        tag || replace(array_to_string(public.show_trgm(value), E'\x01'), E'\x01', E'\x01' || tag), E'\x01'));
END $$;

-- The first eight words of what is sought, each once and 40 characters long at most.
CREATE FUNCTION keel_words(sought text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT DISTINCT left(word, 40)
      FROM (SELECT word FROM unnest(string_to_array(keel_spaced(keel_norm(left(sought, 200))), ' ')) AS word
             WHERE word <> '' LIMIT 8) first_ones;
END;

-- What matches all words of what is sought, in the organisation that is entered: words of three letters and more by
-- their beginning, shorter ones as they are. NULL for no words.
CREATE FUNCTION keel_word_query(sought text) RETURNS tsquery LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(quote_literal(right(app_org()::text, 6) || word)
                      || CASE WHEN length(word) > 2 THEN ':*' ELSE '' END, ' & ')::tsquery
      FROM keel_words(sought) AS word;
END;

-- A part of an e-mail address or domain, as a pattern; NULL for what can't be one.
CREATE FUNCTION keel_address_fragment(sought text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN btrim(sought) ~ '^\S{3,100}$' THEN lower(btrim(sought)) END;

-- The digits of a part of a phone number, however it is written: without the zeros that are dialled at home, which no
-- number is stored with. NULL for what can't be one, and for fewer than three digits.
CREATE FUNCTION keel_number_fragment(sought text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN sought ~ '^[-+()./\s0-9]+$' THEN
        substring(ltrim(regexp_replace(replace(sought, '(0)', ''), '[^0-9]', '', 'g'), '0') FROM '^.{3,30}$') END;

-- A pattern for LIKE that finds a text anywhere.
CREATE FUNCTION keel_anywhere(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '%' || replace(replace(replace(value, '\', '\\'), '%', '\%'), '_', '\_') || '%';

-- Like keel_word_query, but also by words of the organisation that are spelled like those sought: two letters off, the
-- first one right. A definer function: the dictionary holds words of records that the actor may not see.
CREATE FUNCTION keel_similar_query(sought text) RETURNS tsquery LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    org uuid := app_org();
    tag text := right(app_org()::text, 6);
    given text;
    alike text;
    parts text[] := '{}';
BEGIN
    FOR given IN SELECT keel_words(sought) LOOP
        SELECT string_agg(quote_literal(tag || near.word), ' | ') INTO alike FROM (
            SELECT k.word, min(levenshtein(k.word, given)) AS distance FROM crm_searchword k
             WHERE k.org_id = org AND k.word >= left(given, 1) AND k.word < left(given, 1) || chr(1114111)
               AND length(given) > 2 AND length(k.word) BETWEEN length(given) - 2 AND length(given) + 2
               AND levenshtein_less_equal(k.word, given, 2) <= CASE WHEN length(given) = 3 THEN 1 ELSE 2 END
             GROUP BY k.word ORDER BY distance LIMIT 8) near;
        parts := parts || ('(' || concat_ws(' | ', quote_literal(tag || given) || CASE WHEN length(given) > 2 THEN ':*' ELSE '' END, alike) || ')');
    END LOOP;
    RETURN CASE WHEN parts <> '{}' THEN array_to_string(parts, ' & ')::tsquery END;
END $$;

GRANT EXECUTE ON FUNCTION keel_spaced(text), keel_with_address(text, text), keel_text(text, text),
    keel_word_vector(uuid, text), keel_gram_vector(uuid, text), keel_words(text), keel_word_query(text),
    keel_address_fragment(text), keel_number_fragment(text), keel_anywhere(text) TO PUBLIC;
