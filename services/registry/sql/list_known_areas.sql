-- reference: every span of a county and of what is above it.
SELECT code, name, parent, valid_from, valid_to, successor
FROM area
WHERE (code >= $1 AND code < $2) OR code = ANY ($3::text[])
ORDER BY code, valid_from
