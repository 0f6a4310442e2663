SELECT id, revision, fact, digest, seq, until_seq, type, area_code, counted_on, year, review_state,
       tombstone
  FROM fact
 WHERE county_code = $1
   AND service = $2
   AND seq <= $3
   AND (id, revision) > ($4, $5)
 ORDER BY id, revision
 LIMIT $6
