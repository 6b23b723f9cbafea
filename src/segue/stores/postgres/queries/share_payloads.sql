-- The next run of a chain refers to the large values that the one before refers to, because messages that were passed
-- on may hold some. Locks: rows of runs that the batch's fence covers, which nobody else writes.
INSERT INTO segue.payload_refs (run, ref) SELECT ?2::bigint, ref FROM segue.payload_refs WHERE run = ?1::bigint
ON CONFLICT DO NOTHING
