-- reference: an account's sessions that ended long ago.
DELETE FROM session
WHERE county_code = $1 AND account_id = $2 AND created_at < $3
