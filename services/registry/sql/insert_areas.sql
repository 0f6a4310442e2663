-- reference: what is above the county may just have been written for another one; that stays.
INSERT INTO area (code, valid_from, name, parent, import_id)
SELECT added.code, $1::date, added.name, added.parent, $2::uuid
FROM unnest($3::text[], $4::text[], $5::text[]) AS added (code, name, parent)
ON CONFLICT DO NOTHING
