-- Counts the runs that refer to a value, by (run, ref). Locks: the values' keys, so that none is dropped meanwhile.
INSERT INTO segue.payload_refs (run, ref)
SELECT DISTINCT * FROM unnest(?::bigint[], ?::text[]) AS given (run, ref) ORDER BY ref, run
ON CONFLICT DO NOTHING
