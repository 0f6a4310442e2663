-- reference
UPDATE credential
SET revoked_at = $3
WHERE county_code = $1 AND account_id = $2 AND revoked_at IS NULL
