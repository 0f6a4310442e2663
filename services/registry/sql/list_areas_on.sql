-- reference: a county and what is above it, on one day.
SELECT code, name, parent, valid_from, valid_to, successor
FROM area
WHERE ((code >= $1 AND code < $2) OR code = ANY ($3::text[]))
  AND valid_from <= $4 AND (valid_to IS NULL OR valid_to >= $4)
ORDER BY code
