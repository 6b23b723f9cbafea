-- Sets values that readers may see, by (run, name, JSON). Locks: rows of runs that the batch's fence covers, which
-- nobody else writes.
INSERT INTO segue.published (run, name, value)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::bytea[])
ON CONFLICT (run, name) DO UPDATE SET value = excluded.value
