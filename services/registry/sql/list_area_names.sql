-- reference: other and former names of a county's areas, and of what is above it.
SELECT code, alias
FROM area_alias
WHERE county_code = $1
UNION
SELECT code, name
FROM area
WHERE ((code >= $1 AND code < $2) OR code = ANY ($3::text[])) AND valid_to IS NOT NULL
ORDER BY 1, 2
