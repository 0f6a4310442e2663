-- reference: a lost secret may be replaced as long as none was used.
INSERT INTO bootstrap (only_row, hash, created_at)
VALUES (true, $1, $2)
ON CONFLICT (only_row) DO UPDATE
SET hash = excluded.hash, created_at = excluded.created_at
WHERE bootstrap.consumed_at IS NULL
