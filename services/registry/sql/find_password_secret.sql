-- reference: by digest, in whatever county.
SELECT county_code, account_id, secret_expires_at
FROM password
WHERE secret_hash = $1
