-- reference
SELECT failures, last_at
FROM sign_in_failure
WHERE county_code = $1 AND login_hash = $2
FOR UPDATE
