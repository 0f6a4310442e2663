SELECT id, year, created_at, actor, rubric_title, snapshot_digest, result_digest, snapshot, result
  FROM run
 WHERE county_code = $1
   AND id = $2
