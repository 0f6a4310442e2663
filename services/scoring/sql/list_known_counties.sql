-- reference
SELECT county_code
  FROM known_county
 ORDER BY county_code
