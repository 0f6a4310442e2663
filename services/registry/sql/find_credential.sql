-- reference: by digest, in whatever county.
SELECT county_code, account_id
FROM credential
WHERE hash = $1 AND revoked_at IS NULL
