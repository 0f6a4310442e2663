-- The area tree: reference tables (S-3), written by county administrators, read by everybody; no
-- row-level security.
CREATE TABLE {schema}.area (
  code text COLLATE "C" NOT NULL,
  valid_from date NOT NULL,
  valid_to date,
  name text NOT NULL,
  parent text COLLATE "C" NOT NULL,
  successor text COLLATE "C",
  import_id uuid NOT NULL,
  CONSTRAINT area_pkey PRIMARY KEY (code, valid_from),
  CONSTRAINT area_code_check
    CHECK (code ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$'),
  CONSTRAINT area_parent_check
    CHECK (parent = left(code,
      CASE length(code) WHEN 12 THEN 9 WHEN 9 THEN 6 ELSE length(code) - 2 END)),
  CONSTRAINT area_valid_to_check CHECK (valid_to >= valid_from)
);
CREATE UNIQUE INDEX area_code_open_key ON {schema}.area (code) WHERE valid_to IS NULL;
-- Other names. An alias means one area of its county.
CREATE TABLE {schema}.area_alias (
  county_code text COLLATE "C" NOT NULL,
  alias text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  CONSTRAINT area_alias_pkey PRIMARY KEY (county_code, alias),
  CONSTRAINT area_alias_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
-- Every import that changed something: who, when, from what.
CREATE TABLE {schema}.area_import (
  county_code text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  valid_from date NOT NULL,
  source text NOT NULL,
  digest bytea NOT NULL,
  areas_added bigint NOT NULL,
  areas_ended bigint NOT NULL,
  imported_at timestamptz NOT NULL,
  imported_by text NOT NULL,
  CONSTRAINT area_import_pkey PRIMARY KEY (county_code, id),
  CONSTRAINT area_import_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
-- One row per county: the lock under which its tree changes.
CREATE TABLE {schema}.area_tree (
  county_code text COLLATE "C" NOT NULL,
  imports bigint NOT NULL,
  CONSTRAINT area_tree_pkey PRIMARY KEY (county_code),
  CONSTRAINT area_tree_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
GRANT SELECT, INSERT, UPDATE ON {schema}.area TO {role};
GRANT SELECT, INSERT ON {schema}.area_alias TO {role};
GRANT SELECT, INSERT ON {schema}.area_import TO {role};
GRANT SELECT, INSERT, UPDATE ON {schema}.area_tree TO {role};
