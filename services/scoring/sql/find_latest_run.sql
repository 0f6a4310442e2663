SELECT id, year, created_at, actor, rubric_title, snapshot_digest, result_digest, snapshot, result
  FROM run
 WHERE county_code = $1
 ORDER BY created_at DESC, id DESC
 LIMIT 1
