INSERT INTO run (county_code, id, year, created_at, actor, rubric_title, snapshot, snapshot_digest,
                 result, result_digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ON CONSTRAINT run_pkey DO NOTHING
