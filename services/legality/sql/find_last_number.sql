-- The last number of a symbol and year.
SELECT ordinal
FROM issued_number
WHERE county_code = $1 AND symbol = $2 AND year = $3
ORDER BY ordinal DESC
LIMIT 1
