-- Passwords of accounts as argon2id strings, and the one-time secret (digest) with which one is set.
-- Reference tables: a secret does not say its county, so there is no row-level security.
CREATE TABLE {schema}.password (
  county_code text COLLATE "C" NOT NULL,
  account_id uuid NOT NULL,
  hash text,
  set_at timestamptz,
  secret_hash bytea,
  secret_expires_at timestamptz,
  CONSTRAINT password_pkey PRIMARY KEY (county_code, account_id),
  CONSTRAINT password_county_code_check CHECK (county_code ~ '^[0-9]{6}$'),
  CONSTRAINT password_hash_check CHECK ((hash IS NULL) = (set_at IS NULL)),
  CONSTRAINT password_secret_hash_check
    CHECK ((secret_hash IS NULL) = (secret_expires_at IS NULL)
      AND (secret_hash IS NULL OR length(secret_hash) = 33))
);
CREATE UNIQUE INDEX password_secret_hash_key ON {schema}.password (secret_hash);
-- Failures of a login, by its digest: whether there is such a login is not to be seen from here.
CREATE TABLE {schema}.sign_in_failure (
  county_code text COLLATE "C" NOT NULL,
  login_hash bytea NOT NULL,
  failures bigint NOT NULL,
  last_at timestamptz NOT NULL,
  CONSTRAINT sign_in_failure_pkey PRIMARY KEY (county_code, login_hash),
  CONSTRAINT sign_in_failure_county_code_check CHECK (county_code ~ '^[0-9]{6}$'),
  CONSTRAINT sign_in_failure_login_hash_check CHECK (length(login_hash) = 33)
);
-- Sessions of people, by the digest of their secret.
CREATE TABLE {schema}.session (
  hash bytea NOT NULL,
  county_code text COLLATE "C" NOT NULL,
  account_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT session_pkey PRIMARY KEY (hash),
  CONSTRAINT session_county_code_check CHECK (county_code ~ '^[0-9]{6}$'),
  CONSTRAINT session_hash_check CHECK (length(hash) = 33)
);
CREATE INDEX session_account_id_idx ON {schema}.session (county_code, account_id);
GRANT SELECT, INSERT, UPDATE ON {schema}.password TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.sign_in_failure TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.session TO {role};
