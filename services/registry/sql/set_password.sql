-- reference: in place of the hash that was verified; a one-time secret goes with it.
UPDATE password
SET hash = $4, set_at = $5, secret_hash = NULL, secret_expires_at = NULL
WHERE county_code = $1 AND account_id = $2 AND hash = $3
