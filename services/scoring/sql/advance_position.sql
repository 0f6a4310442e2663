UPDATE feed_position
   SET seq = $3
 WHERE county_code = $1
   AND service = $2
