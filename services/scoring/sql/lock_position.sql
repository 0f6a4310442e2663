SELECT seq
  FROM feed_position
 WHERE county_code = $1
   AND service = $2
   FOR UPDATE
