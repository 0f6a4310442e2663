-- reference
SELECT county_code
  FROM county
 ORDER BY county_code
