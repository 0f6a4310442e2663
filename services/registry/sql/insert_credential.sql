-- reference
INSERT INTO credential (county_code, hash, account_id, created_at, handle)
VALUES ($1, $2, $3, $4, $5)
