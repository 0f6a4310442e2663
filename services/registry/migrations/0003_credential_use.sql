-- The first characters of a secret, by which a wrong one is told to be meant for it (none of secrets
-- made before); when it was last used; wrong ones since when, and until when it is locked.
ALTER TABLE {schema}.credential
  ADD COLUMN handle text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN last_used_at timestamptz,
  ADD COLUMN failures bigint NOT NULL DEFAULT 0,
  ADD COLUMN failing_since timestamptz,
  ADD COLUMN locked_until timestamptz;
CREATE INDEX credential_handle_idx ON {schema}.credential (handle)
  WHERE revoked_at IS NULL AND handle <> '';
