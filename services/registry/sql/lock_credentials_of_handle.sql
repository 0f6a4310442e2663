-- reference: those for which a wrong secret was meant; one, but for an accident of chance.
SELECT county_code, hash, failures, failing_since, locked_until
FROM credential
WHERE handle = $1 AND handle <> '' AND revoked_at IS NULL
ORDER BY hash
FOR UPDATE
