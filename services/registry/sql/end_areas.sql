-- reference: $1 last day, $2 codes, $3 successors ('' for none).
UPDATE area
SET valid_to = $1, successor = NULLIF(ended.successor, '')
FROM unnest($2::text[], $3::text[]) AS ended (code, successor)
WHERE area.code = ended.code AND area.valid_to IS NULL
