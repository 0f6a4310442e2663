-- reference
INSERT INTO credential (county_code, hash, account_id, created_at)
VALUES ($1, $2, $3, $4)
