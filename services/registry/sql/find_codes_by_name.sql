-- reference: the areas of a county that have, had or may be called by a name.
SELECT code
FROM area_alias
WHERE county_code = $1 AND alias = $3
UNION
SELECT code
FROM area
WHERE code >= $1 AND code < $2 AND name = $3
ORDER BY 1
