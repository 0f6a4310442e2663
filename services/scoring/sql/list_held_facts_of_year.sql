SELECT id, revision, fact, digest
  FROM fact
 WHERE county_code = $1
   AND service = $2
   AND year = $7
   AND seq <= $3
   AND (until_seq IS NULL OR until_seq > $3)
   AND NOT tombstone
   AND (id, revision) > ($4, $5)
 ORDER BY id, revision
 LIMIT $6
