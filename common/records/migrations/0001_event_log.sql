-- The event log: audit entry, change feed, history and idempotency record at once.
CREATE TABLE {schema}.counter (
  county_code text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  head bytea NOT NULL,
  CONSTRAINT counter_pkey PRIMARY KEY (county_code),
  CONSTRAINT counter_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
CREATE TABLE {schema}.event (
  county_code text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  revision bigint NOT NULL,
  area_code text COLLATE "C" NOT NULL,
  request_id uuid NOT NULL,
  item bigint NOT NULL,
  request_hash bytea NOT NULL,
  happened_at timestamptz NOT NULL,
  entry bytea NOT NULL,
  hash bytea NOT NULL,
  fact bytea,
  message bytea,
  sealed bytea,
  CONSTRAINT event_pkey PRIMARY KEY (county_code, seq),
  CONSTRAINT event_request_id_key UNIQUE (county_code, request_id, item),
  CONSTRAINT event_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
CREATE INDEX event_id_idx ON {schema}.event (county_code, id, revision);
ALTER TABLE {schema}.counter ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.counter FORCE ROW LEVEL SECURITY;
ALTER TABLE {schema}.event ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.event FORCE ROW LEVEL SECURITY;
CREATE POLICY counter_scope ON {schema}.counter
  USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ',')));
CREATE POLICY event_scope ON {schema}.event
  USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ','))
    AND (left(area_code, 6) = ANY (string_to_array(current_setting('fadu.areas', true), ','))
      OR left(area_code, 9) = ANY (string_to_array(current_setting('fadu.areas', true), ','))
      OR area_code = ANY (string_to_array(current_setting('fadu.areas', true), ','))));
GRANT SELECT, INSERT, UPDATE ON {schema}.counter TO {role};
GRANT SELECT, INSERT ON {schema}.event TO {role};
