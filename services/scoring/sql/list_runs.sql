SELECT id, year, created_at, actor, rubric_title, snapshot_digest, result_digest
  FROM run
 WHERE county_code = $1
   AND (created_at, id) < ($2, $3)
 ORDER BY created_at DESC, id DESC
 LIMIT $4
