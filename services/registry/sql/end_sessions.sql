-- reference
UPDATE session
SET ended_at = $3
WHERE county_code = $1 AND account_id = $2 AND ended_at IS NULL
