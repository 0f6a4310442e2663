INSERT INTO feed_position (county_code, service, seq)
VALUES ($1, $2, 0)
ON CONFLICT ON CONSTRAINT feed_position_pkey DO NOTHING
