-- reference
SELECT hash
FROM password
WHERE county_code = $1 AND account_id = $2 AND hash IS NOT NULL
