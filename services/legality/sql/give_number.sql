INSERT INTO issued_number (county_code, symbol, year, ordinal, issuer, document_id, given_on, given_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
