-- reference: when each account last gave a token, and until when its secret is locked.
SELECT account_id, max(last_used_at), max(locked_until) FILTER (WHERE revoked_at IS NULL)
FROM credential
WHERE county_code = $1 AND account_id = ANY ($2::uuid[])
GROUP BY account_id
