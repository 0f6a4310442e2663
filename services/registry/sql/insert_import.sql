-- reference
INSERT INTO area_import (county_code, id, valid_from, source, digest, areas_added, areas_ended,
  imported_at, imported_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
