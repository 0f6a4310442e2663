SELECT service, seq
  FROM feed_position
 WHERE county_code = $1
 ORDER BY service
