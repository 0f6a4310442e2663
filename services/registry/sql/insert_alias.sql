-- reference
INSERT INTO area_alias (county_code, alias, code, created_at, created_by)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (county_code, alias) DO NOTHING
