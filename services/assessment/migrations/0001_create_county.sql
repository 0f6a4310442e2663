-- Counties that have a log here: what the hand-over goes through at start, when no call has named one
-- yet. A reference table (S-3): codes only, written once for each county, seen without a scope.
CREATE TABLE {schema}.county (
  county_code text COLLATE "C" NOT NULL,
  CONSTRAINT county_pkey PRIMARY KEY (county_code),
  CONSTRAINT county_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
GRANT SELECT, INSERT ON {schema}.county TO {role};
