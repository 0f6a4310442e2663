-- reference: cities under which another county of the same province lies.
SELECT DISTINCT parent
FROM area
WHERE code >= $1 AND code < $2 AND length(code) = 6 AND code <> $3
ORDER BY parent
