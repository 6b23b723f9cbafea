-- Says where the result of a step stands for a key, by (namespace, step, key, run, seq, at, expires); the latest
-- counts. Locks: their rows, in order.
INSERT INTO segue.cached (namespace, step, key, run, seq, at, expires)
SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::bigint[], ?::integer[], ?::bigint[], ?::bigint[])
    AS given (namespace, step, key, run, seq, at, expires)
ORDER BY namespace, step, key
ON CONFLICT (namespace, step, key) DO UPDATE SET
    run = excluded.run, seq = excluded.seq, at = excluded.at, expires = excluded.expires
