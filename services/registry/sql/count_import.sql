-- reference
UPDATE area_tree
SET imports = imports + 1
WHERE county_code = $1
