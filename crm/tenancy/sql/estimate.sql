-- About how many rows of a table the actor reaches, by the planner's statistics: those of the organisation, or of the
-- members whose records are theirs. NULL where there are none yet. The statistics themselves are closed to a role under
-- row-level security, since they hold values of every organisation; this tells one number about one's own.
CREATE FUNCTION keel_estimate(asked text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    whole boolean := app_reach() = 'all';
    wanted uuid[] := CASE WHEN whole THEN ARRAY[app_org()] ELSE app_members() END;
    rows real;
    common uuid[];
    shares real[];
    rest real;
BEGIN
    SELECT c.reltuples INTO rows FROM pg_class c WHERE c.oid = to_regclass('public.' || quote_ident(asked));
    SELECT coalesce(s.most_common_vals::text::uuid[], '{}'), coalesce(s.most_common_freqs, '{}'),
           -- What each of the others has, where they share what the common ones leave.
           greatest(1 - s.null_frac - coalesce((SELECT sum(f) FROM unnest(s.most_common_freqs) f), 0), 0)
           / greatest(CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * rows ELSE s.n_distinct END
                      - coalesce(cardinality(s.most_common_freqs), 0), 1)
      INTO common, shares, rest
      FROM pg_stats s
     WHERE s.schemaname = 'public' AND s.tablename = asked
       AND s.attname = CASE WHEN whole THEN 'org_id' ELSE 'owner_id' END;
    IF common IS NULL OR rows < 0 THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT round(rows * sum(coalesce(shares[array_position(common, w)], rest))) FROM unnest(wanted) w);
END $$;
