-- Keeps artifacts with their runs, by (run, name, JSON); one of the same name is replaced. Locks: rows of runs that the
-- batch's fence covers, which nobody else writes.
INSERT INTO segue.artifacts (run, name, value)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::bytea[])
ON CONFLICT (run, name) DO UPDATE SET value = excluded.value
