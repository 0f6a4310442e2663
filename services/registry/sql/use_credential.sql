-- reference
UPDATE credential
SET last_used_at = $3
WHERE county_code = $1 AND hash = $2 AND (last_used_at IS NULL OR last_used_at < $3)
