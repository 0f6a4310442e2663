-- Counties that have a log: what background work goes through. A reference table (S-3): it holds
-- codes only, is written once for each county, and is seen without a scope.
CREATE TABLE {schema}.known_county (
  county_code text COLLATE "C" NOT NULL,
  CONSTRAINT known_county_pkey PRIMARY KEY (county_code),
  CONSTRAINT known_county_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
INSERT INTO {schema}.known_county (county_code)
SELECT county_code FROM {schema}.counter;
ALTER TABLE {schema}.known_county ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.known_county FORCE ROW LEVEL SECURITY;
CREATE POLICY known_county_all ON {schema}.known_county USING (true);
GRANT SELECT, INSERT ON {schema}.known_county TO {role};
