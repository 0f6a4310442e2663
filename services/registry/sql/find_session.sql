-- reference: by digest, in whatever county.
SELECT county_code, account_id, created_at, seen_at
FROM session
WHERE hash = $1 AND ended_at IS NULL
