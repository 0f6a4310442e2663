-- reference
UPDATE credential
SET failures = $3, failing_since = $4, locked_until = $5
WHERE county_code = $1 AND hash = $2
