-- reference: by digest, in whatever county, revoked ones too.
SELECT county_code, account_id, revoked_at, last_used_at, locked_until
FROM credential
WHERE hash = $1
