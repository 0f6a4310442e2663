-- The register of numbers (发文字号): every number ever given, and those voided since. Append-only by
-- grant: a number is neither changed nor given again.
CREATE TABLE {schema}.issued_number (
  county_code text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  year bigint NOT NULL,
  ordinal bigint NOT NULL,
  issuer text NOT NULL,
  document_id uuid NOT NULL,
  given_on date NOT NULL,
  given_at timestamptz NOT NULL,
  CONSTRAINT issued_number_pkey PRIMARY KEY (county_code, symbol, year, ordinal),
  CONSTRAINT issued_number_document_id_key UNIQUE (county_code, document_id),
  CONSTRAINT issued_number_ordinal_check CHECK (ordinal > 0),
  CONSTRAINT issued_number_county_code_check CHECK (county_code ~ '^[0-9]{6}$')
);
CREATE TABLE {schema}.voided_number (
  county_code text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  year bigint NOT NULL,
  ordinal bigint NOT NULL,
  reason text NOT NULL,
  voided_on date NOT NULL,
  voided_at timestamptz NOT NULL,
  CONSTRAINT voided_number_pkey PRIMARY KEY (county_code, symbol, year, ordinal),
  CONSTRAINT voided_number_issued_fkey FOREIGN KEY (county_code, symbol, year, ordinal)
    REFERENCES {schema}.issued_number (county_code, symbol, year, ordinal),
  CONSTRAINT voided_number_reason_check CHECK (length(reason) > 0)
);
ALTER TABLE {schema}.issued_number ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.issued_number FORCE ROW LEVEL SECURITY;
ALTER TABLE {schema}.voided_number ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.voided_number FORCE ROW LEVEL SECURITY;
CREATE POLICY issued_number_scope ON {schema}.issued_number
  USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ',')));
CREATE POLICY voided_number_scope ON {schema}.voided_number
  USING (county_code = ANY (string_to_array(current_setting('fadu.counties', true), ',')));
GRANT SELECT, INSERT ON {schema}.issued_number TO {role};
GRANT SELECT, INSERT ON {schema}.voided_number TO {role};
