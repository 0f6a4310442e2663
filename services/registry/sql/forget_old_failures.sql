-- reference: those that no longer count.
DELETE FROM sign_in_failure
WHERE county_code = $1 AND last_at < $2
