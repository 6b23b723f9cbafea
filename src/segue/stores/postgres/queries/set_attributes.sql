-- Sets search attributes by (run, name, JSON). Locks: rows of runs that the batch's fence covers, which nobody else
-- writes.
INSERT INTO segue.attributes (run, name, value)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::text[])
ON CONFLICT (run, name) DO UPDATE SET value = excluded.value
