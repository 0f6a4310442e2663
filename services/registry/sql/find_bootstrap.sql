-- reference
SELECT hash, consumed_at IS NOT NULL
FROM bootstrap
WHERE only_row
