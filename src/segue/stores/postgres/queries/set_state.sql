-- Sets keyed state by (namespace, scope, key, value). Locks: its rows, in order; of two who write one, the later
-- counts.
INSERT INTO segue.state (namespace, scope, key, value)
SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::bytea[]) AS given (namespace, scope, key, value)
ORDER BY namespace, scope, key
ON CONFLICT (namespace, scope, key) DO UPDATE SET value = excluded.value
