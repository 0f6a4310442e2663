-- Whose symbol it is: all its numbers are one issuer's.
SELECT issuer
FROM issued_number
WHERE county_code = $1 AND symbol = $2
ORDER BY year, ordinal
LIMIT 1
