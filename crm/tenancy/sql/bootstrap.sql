-- Roles, extensions and rights that migrations stand on. Run as a superuser inside Keel's database; may run again.
-- Passwords are set apart from this file (crm/launch/bootstrap.py), so that it can be read by anybody.
--   keel_owner    owns the database and its objects, runs migrations; row-level security is forced on it too
--   keel_app      web, live, worker, beat and relay; owns nothing, bypasses nothing
--   keel_definer  nobody logs in as it; owns the few SECURITY DEFINER functions that look across organisations
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['keel_owner', 'keel_app', 'keel_definer'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I', name);
    END IF;
  END LOOP;
  EXECUTE format('ALTER DATABASE %I OWNER TO keel_owner', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO keel_owner, keel_app', current_database());
END $$;

ALTER ROLE keel_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE;
ALTER ROLE keel_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;
ALTER ROLE keel_definer NOLOGIN NOSUPERUSER BYPASSRLS NOCREATEROLE NOCREATEDB;
-- The owner hands functions to keel_definer; it must not act with that role's rights by accident.
GRANT keel_definer TO keel_owner WITH SET TRUE, INHERIT FALSE;

ALTER ROLE keel_owner SET timezone = 'UTC';
ALTER ROLE keel_app SET timezone = 'UTC';
-- Loading the library with the session keeps its settings known before the first similarity search.
ALTER ROLE keel_app SET session_preload_libraries = 'pg_trgm';

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch WITH SCHEMA public;

ALTER SCHEMA public OWNER TO keel_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO keel_app, keel_definer;
-- A function's new owner must be allowed to create in its schema (ALTER FUNCTION ... OWNER TO keel_definer).
GRANT CREATE ON SCHEMA public TO keel_definer;

ALTER DEFAULT PRIVILEGES FOR ROLE keel_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO keel_app;
ALTER DEFAULT PRIVILEGES FOR ROLE keel_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO keel_app;
-- Without a schema: a default right of PUBLIC can only be taken away for the whole database.
ALTER DEFAULT PRIVILEGES FOR ROLE keel_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE keel_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO keel_app;
