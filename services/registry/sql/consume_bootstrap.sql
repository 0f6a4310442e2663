-- reference
UPDATE bootstrap
SET consumed_at = $2, county_code = $3, account_id = $4
WHERE only_row AND hash = $1 AND consumed_at IS NULL
