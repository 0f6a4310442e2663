-- reference: the areas of a county that have, had or may be called by a name; which are in force.
SELECT named.code,
  EXISTS (SELECT 1 FROM area WHERE area.code = named.code AND area.valid_to IS NULL)
FROM (
  SELECT code
  FROM area_alias
  WHERE county_code = $1 AND alias = $3
  UNION
  SELECT code
  FROM area
  WHERE code >= $1 AND code < $2 AND name = $3
) AS named
ORDER BY 1
