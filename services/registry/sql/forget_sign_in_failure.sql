-- reference
DELETE FROM sign_in_failure
WHERE county_code = $1 AND login_hash = $2
