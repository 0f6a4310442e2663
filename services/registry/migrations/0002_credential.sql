-- Secrets of accounts, as digests (algorithm byte and SHA-256). Reference tables: who comes with a
-- secret does not say its county, so there is no row-level security.
CREATE TABLE {schema}.credential (
  county_code text COLLATE "C" NOT NULL,
  hash bytea NOT NULL,
  account_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CONSTRAINT credential_pkey PRIMARY KEY (hash),
  CONSTRAINT credential_county_code_check CHECK (county_code ~ '^[0-9]{6}$'),
  CONSTRAINT credential_hash_check CHECK (length(hash) = 33)
);
CREATE INDEX credential_account_id_idx ON {schema}.credential (county_code, account_id);
-- The one-time secret with which the first administrator is made: at most one row.
CREATE TABLE {schema}.bootstrap (
  only_row boolean NOT NULL,
  hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  consumed_at timestamptz,
  county_code text COLLATE "C",
  account_id uuid,
  CONSTRAINT bootstrap_pkey PRIMARY KEY (only_row),
  CONSTRAINT bootstrap_only_row_check CHECK (only_row),
  CONSTRAINT bootstrap_hash_check CHECK (length(hash) = 33),
  CONSTRAINT bootstrap_consumed_check
    CHECK ((consumed_at IS NULL) = (county_code IS NULL)
      AND (consumed_at IS NULL) = (account_id IS NULL))
);
GRANT SELECT, INSERT, UPDATE ON {schema}.credential TO {role};
GRANT SELECT, INSERT, UPDATE ON {schema}.bootstrap TO {role};
