-- Functions of the loader, dropped after it. Names in braces are filled by bench/load.py. Every row has a number from 0, its
-- id and its time follow from that number, so rows find each other without being looked up.
--   k  organisation, 0 is the measured one      r, j, d  a contact's, account's, deal's rank in its organisation
CREATE SCHEMA bench;
SET search_path = bench, public;

-- A number from 0 to `below` - 1 that looks random and is the same every time.
CREATE FUNCTION pick(n bigint, salt int, below bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT (hashint8extended(n, salt) & 9223372036854775807) % below $$;
CREATE FUNCTION word(words text[], n bigint, salt int) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT words[1 + pick(n, salt, cardinality(words))] $$;
CREATE FUNCTION plain(value text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT regexp_replace(keel_norm(value), '[^a-z0-9]', '', 'g') $$;

-- The moment when that part (0 to 1) of two years has gone by.
CREATE FUNCTION at(part float8) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT timestamptz '{now}' - interval '730 days' * (1 - part) $$;
CREATE FUNCTION uid(kind text, n bigint, made timestamptz) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7' || substr(h, 1, 3)
                  || '8' || substr(h, 4, 15))::uuid FROM (SELECT md5(kind || n) AS h) x $$;

CREATE FUNCTION org(k bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT uid('org', k, at(0)) $$;
CREATE FUNCTION members_of(k bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN k = 0 THEN {members} ELSE {other_members} END $$;
CREATE FUNCTION accounts_of(k bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN k = 0 THEN {accounts} / 2 ELSE {accounts} / 2 / {others} END $$;
CREATE FUNCTION contacts_of(k bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN k = 0 THEN {contacts} / 2 ELSE {contacts} / 2 / {others} END $$;
CREATE FUNCTION deals_of(k bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN k = 0 THEN {deals} / 4 * 3 ELSE {deals} / 4 / {others} END $$;

-- Every second row belongs to the measured organisation, the rest take turns; three of four deals do.
CREATE FUNCTION k_of(n bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN n % 2 = 0 THEN 0 ELSE 1 + n / 2 % {others} END $$;
CREATE FUNCTION rank_of(n bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN n % 2 = 0 THEN n / 2 ELSE n / 2 / {others} END $$;
CREATE FUNCTION number_of(k bigint, r bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN k = 0 THEN 2 * r ELSE 2 * (r * {others} + k - 1) + 1 END $$;
CREATE FUNCTION deal_k_of(n bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN n % 4 < 3 THEN 0 ELSE 1 + n / 4 % {others} END $$;
CREATE FUNCTION deal_rank_of(n bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN n % 4 < 3 THEN n / 4 * 3 + n % 4 ELSE n / 4 / {others} END $$;
CREATE FUNCTION deal_number_of(k bigint, d bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN k = 0 THEN d / 3 * 4 + d % 3 ELSE 4 * (d * {others} + k - 1) + 3 END $$;

CREATE FUNCTION member(k bigint, m bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT uid('member', k * 100000 + m, at(0)) $$;
CREATE FUNCTION owner(k bigint, r bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT member(k, 1 + r % members_of(k)) $$;
CREATE FUNCTION team(t bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT uid('team', t, at(0)) $$;
CREATE FUNCTION tag(k bigint, t bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT uid('tag', k * 100 + t, at(0)) $$;
CREATE FUNCTION pipeline(k bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT uid('pipeline', k, at(0)) $$;
CREATE FUNCTION stage(k bigint, s bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT uid('stage', k * 100 + s, at(0)) $$;
CREATE FUNCTION account(k bigint, j bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT uid('account', number_of(k, j), at(number_of(k, j)::float8 / {accounts})) $$;
CREATE FUNCTION contact(k bigint, r bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT uid('contact', number_of(k, r), at(number_of(k, r)::float8 / {contacts})) $$;
CREATE FUNCTION deal(k bigint, d bigint) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT uid('deal', deal_number_of(k, d), at(deal_number_of(k, d)::float8 / {deals})) $$;
-- Nine of ten contacts have an account: ten to an account, the first of them always.
CREATE FUNCTION has_account(k bigint, r bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT r < accounts_of(k) OR pick(number_of(k, r), 1, 10) > 0 $$;
-- Two of three deals are open, evenly over the open stages; of the rest three in five are won.
CREATE FUNCTION stage_no(d bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN d % 3 < 2 THEN (d / 3 * 2 + d % 3) % {stages} WHEN d / 3 % 5 < 3 THEN {stages} ELSE {stages} + 1 END $$;
-- Keys of the cards of a column, as deals.positions makes them, three digits long.
CREATE FUNCTION card_key(n bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT 'c' || substr(digits, 1 + (n / 3844 % 62)::int, 1) || substr(digits, 1 + (n / 62 % 62)::int, 1)
                     || substr(digits, 1 + (n % 62)::int, 1)
            FROM (VALUES ('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')) v (digits) $$;
