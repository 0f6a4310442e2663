SELECT service, COUNT(*)
  FROM fact
 WHERE county_code = $1
   AND until_seq IS NULL
   AND NOT tombstone
 GROUP BY service
 ORDER BY service
