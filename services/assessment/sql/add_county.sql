-- reference
INSERT INTO county (county_code)
VALUES ($1)
ON CONFLICT ON CONSTRAINT county_pkey DO NOTHING
