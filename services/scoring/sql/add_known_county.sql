-- reference
INSERT INTO known_county (county_code)
VALUES ($1)
ON CONFLICT ON CONSTRAINT known_county_pkey DO NOTHING
