-- reference
INSERT INTO sign_in_failure (county_code, login_hash, failures, last_at)
VALUES ($1, $2, 0, $3)
ON CONFLICT (county_code, login_hash) DO NOTHING
