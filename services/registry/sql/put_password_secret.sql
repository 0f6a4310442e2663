-- reference
INSERT INTO password (county_code, account_id, secret_hash, secret_expires_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (county_code, account_id) DO UPDATE
SET secret_hash = excluded.secret_hash, secret_expires_at = excluded.secret_expires_at
