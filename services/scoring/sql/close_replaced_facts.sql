UPDATE fact AS replaced
   SET until_seq = (SELECT MIN(newer.seq)
                      FROM fact AS newer
                     WHERE newer.county_code = $1
                       AND newer.service = $2
                       AND newer.id = replaced.id
                       AND newer.revision > replaced.revision)
 WHERE replaced.county_code = $1
   AND replaced.service = $2
   AND replaced.id = ANY ($3::uuid[])
   AND replaced.until_seq IS NULL
   AND EXISTS (SELECT 1
                 FROM fact AS newest
                WHERE newest.county_code = $1
                  AND newest.service = $2
                  AND newest.id = replaced.id
                  AND newest.revision > replaced.revision)
