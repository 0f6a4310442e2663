-- reference
UPDATE session
SET seen_at = $2
WHERE hash = $1 AND ended_at IS NULL
