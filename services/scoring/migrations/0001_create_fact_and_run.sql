-- Facts taken from feeds, how far each feed has been taken, and the runs computed from them.

-- Counties that have a feed: what the background puller goes through. A reference table (S-3):
-- it holds codes only, is written once for each county, and is seen without a scope.
CREATE TABLE {schema}.known_county (
  county_code text COLLATE "C" NOT NULL,
  CONSTRAINT known_county_pkey PRIMARY KEY (county_code),
  CONSTRAINT known_county_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);

-- The last seq taken of each feed. Locked first in every transaction that takes facts.
CREATE TABLE {schema}.feed_position (
  county_code text COLLATE "C" NOT NULL,
  service text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  CONSTRAINT feed_position_pkey PRIMARY KEY (county_code, service),
  CONSTRAINT feed_position_county_code_check CHECK (county_code ~ '^[0-9]{6}$'),
  CONSTRAINT feed_position_seq_check CHECK (seq >= 0)
);

-- One revision of one record, as its service told it. until_seq is the seq of the revision that
-- replaced it; nothing else of a row ever changes.
CREATE TABLE {schema}.fact (
  county_code text COLLATE "C" NOT NULL,
  service text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  revision bigint NOT NULL,
  seq bigint NOT NULL,
  until_seq bigint,
  type text COLLATE "C" NOT NULL,
  area_code text COLLATE "C" NOT NULL,
  counted_on date,
  year bigint NOT NULL,
  review_state bigint NOT NULL,
  tombstone boolean NOT NULL,
  fact bytea NOT NULL,
  digest bytea NOT NULL,
  CONSTRAINT fact_pkey PRIMARY KEY (county_code, service, id, revision),
  CONSTRAINT fact_seq_key UNIQUE (county_code, service, seq),
  CONSTRAINT fact_county_code_check CHECK (county_code ~ '^[0-9]{6}$'),
  CONSTRAINT fact_digest_check CHECK (length(digest) = 33)
);
CREATE INDEX fact_year_idx ON {schema}.fact (county_code, service, year, id, revision);

-- One run. Its id is the request id of the wish, so the effect is its own idempotency row (S-18).
CREATE TABLE {schema}.run (
  county_code text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  year bigint NOT NULL,
  created_at timestamptz NOT NULL,
  actor text NOT NULL,
  rubric_title text NOT NULL,
  snapshot bytea NOT NULL,
  snapshot_digest bytea NOT NULL,
  result bytea NOT NULL,
  result_digest bytea NOT NULL,
  CONSTRAINT run_pkey PRIMARY KEY (county_code, id),
  CONSTRAINT run_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
CREATE INDEX run_created_at_idx ON {schema}.run (county_code, created_at, id);

ALTER TABLE {schema}.known_county ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.known_county FORCE ROW LEVEL SECURITY;
ALTER TABLE {schema}.feed_position ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.feed_position FORCE ROW LEVEL SECURITY;
ALTER TABLE {schema}.fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.fact FORCE ROW LEVEL SECURITY;
ALTER TABLE {schema}.run ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.run FORCE ROW LEVEL SECURITY;
CREATE POLICY known_county_all ON {schema}.known_county USING (true);
CREATE POLICY feed_position_scope ON {schema}.feed_position
  USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ',')));
CREATE POLICY fact_scope ON {schema}.fact
  USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ',')));
CREATE POLICY run_scope ON {schema}.run
  USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ',')));

GRANT SELECT, INSERT ON {schema}.known_county TO {role};
GRANT SELECT, INSERT, UPDATE (seq) ON {schema}.feed_position TO {role};
GRANT SELECT, INSERT, UPDATE (until_seq) ON {schema}.fact TO {role};
GRANT SELECT, INSERT ON {schema}.run TO {role};
