INSERT INTO voided_number (county_code, symbol, year, ordinal, reason, voided_on, voided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
