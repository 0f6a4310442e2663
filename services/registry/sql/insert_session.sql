-- reference
INSERT INTO session (hash, county_code, account_id, created_at, seen_at)
VALUES ($1, $2, $3, $4, $4)
