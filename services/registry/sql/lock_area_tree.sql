-- reference
SELECT imports
FROM area_tree
WHERE county_code = $1
FOR UPDATE
