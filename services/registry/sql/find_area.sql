-- reference: an area as it last was.
SELECT code, name, parent, valid_from, valid_to, successor
FROM area
WHERE code = $1
ORDER BY valid_from DESC
LIMIT 1
