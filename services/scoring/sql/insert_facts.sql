INSERT INTO fact (county_code, service, id, revision, seq, until_seq, type, area_code, counted_on,
                  year, review_state, tombstone, fact, digest)
SELECT $1, $2, id, revision, seq, NULL, type, area_code, NULLIF(counted_on, '')::date,
       year, review_state, tombstone <> 0, fact, digest
  FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[])
    AS new_fact (id, revision, seq, type, area_code, counted_on, year, review_state, tombstone,
                 fact, digest)
