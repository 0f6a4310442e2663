-- reference
UPDATE sign_in_failure
SET failures = $3, last_at = $4
WHERE county_code = $1 AND login_hash = $2
