-- reference
INSERT INTO area_tree (county_code, imports)
VALUES ($1, 0)
ON CONFLICT (county_code) DO NOTHING
